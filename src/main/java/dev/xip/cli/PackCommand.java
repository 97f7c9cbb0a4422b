package dev.xip.cli;

import dev.xip.base.FileName;
import dev.xip.host.HostPaths;
import dev.xip.mount.Placement;
import dev.xip.pack.PackFormat;
import dev.xip.pack.PackOptions;
import dev.xip.pack.PackReport;
import dev.xip.pack.Packer;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code xip pack}: makes an image of a folder. */
@Command(
    name = "pack",
    header = "Make an image of a folder or tar archive, with mke2fs or mkfs.erofs.",
    customSynopsis = {
      "xip pack [OPTION...] DIR IMAGE",
      "       xip pack [OPTION...] --tar FILE IMAGE"
    },
    description = {
      "%nThe image is as small as its contents and their alignment allow. It is written under"
          + " another name in the folder of IMAGE and renamed when it is complete: if packing"
          + " fails, an existing IMAGE is unchanged. Each file that cannot be used in place is"
          + " named with the reason.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xip pack /usr/lib/jvm/some-jdk jdk.img",
      "  xip pack --format erofs site site.erofs",
      "  xip pack --format ext4 --exclude '*.o' --owner 0:0 build build.img",
      "  xip pack --format ext4 --tar debian.tar debian.img",
      "  zcat debian.tar.gz | xip pack --tar - debian.img",
      "",
      "An ext image keeps names, contents, holes, hard links, modes, owners, times from 1901 to"
          + " 2446, extended attributes with ACLs and capabilities, and device numbers, and all"
          + " this of DIR itself. What it does not keep is named: sockets, and attributes for which"
          + " a file has no room. Files of 2 MiB and more lie at multiples of 2 MiB, so that one"
          + " page-table entry can map 2 MiB of them. A file that changes while it is packed is an"
          + " error.",
      "",
      "An image that is replaced keeps its mode and owner. A new one is readable only by its owner"
          + " if group or others may not read everything in DIR.",
      "",
      "erofs is packed without compression and inline data, so that its files are in place for the"
          + " kernel's DAX too; holes are filled with zeros, and of the times only that of"
          + " modification is kept.",
      "",
      "Of a tar archive an ext image keeps the owners, also for users other than root. For erofs"
          + " it"
          + " is unpacked beside IMAGE, where only root can keep them. A compressed archive must be"
          + " decompressed first."
    })
final class PackCommand implements Callable<Integer> {
  @Parameters(
      index = "0",
      paramLabel = "DIR",
      converter = HostPlace.Some.class,
      description = "The folder to pack; not with --tar.")
  private String first;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "IMAGE",
      converter = HostPlace.Some.class,
      description = "The image file to make or replace.")
  private String second;

  @Option(
      names = "--tar",
      paramLabel = "FILE",
      converter = HostPlace.InputFile.class,
      description = "Pack the files of a tar archive; - is standard input.")
  private Path tar;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      defaultValue = "ext2",
      description = "ext2, ext4 or erofs; default: ${DEFAULT-VALUE}.")
  private PackFormat format;

  @Option(
      names = "--exclude",
      paramLabel = "GLOB",
      description =
          "Leave out files whose name matches, or whose path in DIR if the glob has a slash, with"
              + " all below them; may be given more than once.")
  private List<String> excluded = new ArrayList<>();

  @Option(
      names = "--owner",
      paramLabel = "UID:GID",
      converter = OwnerNumbers.class,
      description = "Make all files those of one owner and group.")
  private Owner owner;

  @Mixin private Sizes sizes = new Sizes();

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Spec private CommandSpec spec;

  PackCommand() {}

  @Override
  public Integer call() throws IOException, InterruptedException {
    PackReport report;
    if ((tar == null) != (second != null)) {
      throw new ParameterException(
          spec.commandLine(), "expected a folder and an image, or --tar FILE and an image");
    }
    String image = tar == null ? second : first;
    if (image.endsWith("/")) {
      // java.nio.file.Path drops the trailing slash, which requires a folder.
      throw new FileSystemException(image, null, "Is a directory");
    }
    try (TerminalProgress progress = TerminalProgress.ofBytes("packing")) {
      Path made = HostPlace.of(image);
      report =
          tar == null
              ? Packer.pack(HostPlace.of(first), made, options(), progress)
              : packTar(made, progress);
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

  /** A pipe is copied first, as the archive is read twice. */
  private PackReport packTar(Path made, TerminalProgress progress)
      throws IOException, InterruptedException {
    try (Contents archive = Contents.of(tar, Long.MAX_VALUE)) {
      return Packer.packTar(archive.file(), made, options(), progress);
    }
  }

  private PackOptions options() {
    try {
      return owner == null
          ? new PackOptions(format, excluded, PackOptions.KEPT, PackOptions.KEPT)
          : new PackOptions(format, excluded, owner.uid, owner.gid);
    } catch (PatternSyntaxException e) {
      throw new ParameterException(
          spec.commandLine(), "--exclude: expected a glob, found %s".formatted(e.getPattern()));
    }
  }

  /** The numbers of an owner and a group. */
  private record Owner(long uid, long gid) {}

  /** Converts the option --owner. */
  static final class OwnerNumbers implements ITypeConverter<Owner> {
    private static final Pattern FORM = Pattern.compile("([0-9]{1,10}):([0-9]{1,10})");

    /** The number that stands for none, chown(2). */
    private static final long NONE = 0xffff_ffffL;

    @Override
    public Owner convert(String text) {
      Matcher form = FORM.matcher(text);
      if (form.matches()) {
        Owner owner = new Owner(Long.parseLong(form.group(1)), Long.parseLong(form.group(2)));
        if (owner.uid < NONE && owner.gid < NONE) {
          return owner;
        }
      }
      throw new TypeConversionException("expected UID:GID, found '%s'".formatted(text));
    }
  }

  private void print(PackReport report, Output out) throws IOException {
    for (FileName socket : report.leftOut()) {
      out.text("left out: ");
      out.name(socket);
      out.line(": a socket");
    }
    for (PackReport.Loss loss : report.losses()) {
      out.text("not kept: ");
      out.name(loss.path());
      out.text(": ");
      out.name(FileName.of(loss.what()));
      out.line("");
    }
    for (Placement.FilePlacement each : report.notInPlace()) {
      out.text("not in place: ");
      out.name(each.path());
      out.line(": " + each.verdict().reason());
    }
    out.line(
        "%s: %s, %s, %,d files with %s; not in place: %,d (%s)"
            .formatted(
                HostPaths.text(report.image()),
                report.format(),
                sizes.text(report.imageBytes()),
                report.files(),
                sizes.text(report.fileBytes()),
                report.notInPlace().size(),
                report.proof()));
    PackReport.Alignment alignment = report.alignment();
    if (alignment.largeBytes() > 0) {
      out.line(
          "aligned to 2 MiB: %,d of %,d MiB of large files"
              .formatted(alignment.alignedBytes() >> 20, alignment.largeBytes() >> 20));
    }
  }

  private static void printJson(PackReport report, Output out) throws IOException {
    JsonWriter json = new JsonWriter(out).beginObject();
    json.member("image", report.image())
        .member("format", report.format().toString())
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
    for (FileName socket : report.leftOut()) {
      json.value(socket.toString());
    }
    json.endArray().name("notKept").beginArray();
    for (PackReport.Loss loss : report.losses()) {
      json.beginObject().member("path", loss.path()).member("what", loss.what()).endObject();
    }
    json.endArray().endObject().finish();
  }
}
