package dev.xip.cli;

import dev.xip.machine.PackFormat;
import dev.xip.machine.PackReport;
import dev.xip.machine.Packer;
import dev.xip.machine.Placement;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code xip pack}: makes an image of a folder. */
@Command(
    name = "pack",
    header = "Make an image of a folder, with mke2fs or mkfs.erofs.",
    description = {
      "%nThe image is made as small as its contents and their places allow, under a name beside"
          + " IMAGE, and takes the name when it is whole: if packing fails, what was there before"
          + " is there still. Each file that will not be in place is named with the reason.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xip pack /usr/lib/jvm/some-jdk jdk.img",
      "  xip pack --format erofs site site.erofs",
      "",
      "ext2 keeps holes and leaves out sockets; mke2fs adds a folder lost+found. Files of 2 MiB"
          + " and",
      "more are then moved to multiples of 2 MiB in the image, so that one page-table entry can"
          + " map",
      "2 MiB of them; the image is written twice and takes that room meanwhile. erofs is packed",
      "without compression and inline data, so that its files are in place for the kernel's DAX;",
      "holes are filled. This version of xip does not read erofs."
    })
final class PackCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "DIR", description = "The folder to pack.")
  private Path directory;

  @Parameters(index = "1", paramLabel = "IMAGE", description = "The image file to make or replace.")
  private String image;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      defaultValue = "ext2",
      description = "ext2 or erofs; default: ${DEFAULT-VALUE}.")
  private PackFormat format;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  PackCommand() {}

  @Override
  public Integer call() throws IOException, InterruptedException {
    PackReport report;
    if (image.endsWith("/")) {
      // A path of the JDK loses the slash, which asks for a folder.
      throw new FileSystemException(image, null, "Is a directory");
    }
    try (TerminalProgress progress = TerminalProgress.ofBytes("packing")) {
      report = Packer.pack(directory, Path.of(image), format, progress);
    }
    Output out = new Output();
    if (json) {
      printJson(report, out);
    } else {
      print(report, out);
    }
    out.flush();
    return Main.DONE;
  }

  private static void print(PackReport report, Output out) throws IOException {
    for (Path socket : report.leftOut()) {
      out.line("left out: %s: a socket".formatted(socket));
    }
    for (Placement.FilePlacement each : report.notInPlace()) {
      out.text("not in place: ");
      out.name(each.path());
      out.line(": " + each.verdict().reason());
    }
    out.line(
        "%s: %s, %,d bytes, %,d files with %,d bytes; not in place: %,d (%s)"
            .formatted(
                report.image(),
                formatName(report),
                report.imageBytes(),
                report.files(),
                report.fileBytes(),
                report.notInPlace().size(),
                report.proof()));
    PackReport.Alignment alignment = report.alignment();
    if (!alignment.obstacles().isEmpty()) {
      out.line(
          "large files not aligned, because the image has: "
              + String.join(", ", alignment.obstacles()));
    } else if (alignment.largeBytes() > 0) {
      out.line(
          "aligned to 2 MiB: %,d of %,d MiB of large files"
              .formatted(alignment.alignedBytes() >> 20, alignment.largeBytes() >> 20));
    }
  }

  private static void printJson(PackReport report, Output out) throws IOException {
    JsonWriter json = new JsonWriter(out).beginObject();
    json.member("image", report.image().toString())
        .member("format", formatName(report))
        .member("imageBytes", report.imageBytes())
        .member("files", report.files())
        .member("fileBytes", report.fileBytes())
        .member("largeBytes", report.alignment().largeBytes())
        .member("alignedBytes", report.alignment().alignedBytes())
        .member("proof", report.proof())
        .name("notInPlace")
        .beginArray();
    for (Placement.FilePlacement each : report.notInPlace()) {
      json.beginObject()
          .member("path", each.path())
          .member("reason", each.verdict().reason())
          .endObject();
    }
    json.endArray().name("leftOut").beginArray();
    for (Path socket : report.leftOut()) {
      json.value(socket.toString());
    }
    json.endArray().endObject().finish();
  }

  private static String formatName(PackReport report) {
    return report.format().name().toLowerCase(Locale.ROOT);
  }
}
