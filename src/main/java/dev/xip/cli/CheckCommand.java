package dev.xip.cli;

import dev.xip.base.FileName;
import dev.xip.image.FsImage;
import dev.xip.image.FsInfo;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.image.Verdict;
import dev.xip.mount.OpenImage;
import dev.xip.mount.Placement;
import java.io.IOException;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code xip check}: reports for each file whether it can be used in place. */
@Command(
    name = "check",
    header = "Report for each file whether it can be used in place, or why not.",
    description = {
      "%nLooks up every block of every regular file below PATH and reports whether its bytes are"
          + " whole pages of the image, so that a mapping of the file is the image's own memory."
          + " Names those that are not, with the reason. A file with several names is counted once."
          + " The last lines are the sums.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xip check disk.img",
      "  xip check --all --bytes disk.img /usr/lib",
      "  xip check --json disk.img /usr/lib | jq '.files[] | select(.verdict != \"in_place\")'",
      "",
      "Exit code 0 means that every file was checked, whatever the verdicts."
    })
final class CheckCommand extends ImageCommand {
  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "PATH",
      defaultValue = ROOT,
      converter = PathConverter.class,
      description = "A path inside the image; default: ${DEFAULT-VALUE}.")
  private FileName path;

  @Option(names = "--all", description = "Name the files that are in place too.")
  private boolean all;

  @Mixin private Sizes sizes = new Sizes();

  @Option(names = "--json", description = "Print one JSON object, with all files.")
  private boolean json;

  CheckCommand() {}

  @Override
  int run(OpenImage mount, FsImage image, Output out) throws IOException {
    Inode start = PathResolver.resolve(image, path, true);
    try (TerminalProgress progress = TerminalProgress.ofFiles("checking")) {
      if (json) {
        printJson(mount, start, progress, out);
      } else {
        print(mount, start, progress, out);
      }
    }
    return Main.DONE;
  }

  private void print(OpenImage mount, Inode start, TerminalProgress progress, Output out)
      throws IOException {
    FsImage image = mount.image();
    Map<Verdict, Placement.Sum> sums =
        Placement.check(
            image,
            start,
            file -> {
              if (all || file.verdict() != Verdict.IN_PLACE) {
                printFile(file, out);
              }
            },
            progress);
    FsInfo info = image.info();
    out.line(
        "%s: %s, %,d blocks of %d bytes"
            .formatted(image.name(), info.format(), info.blocks(), info.blockSize()));
    if (!mount.overlay().isEmpty()) {
      out.line("journal: " + JournalText.of(mount.overlay()));
    }
    for (Verdict verdict : Verdict.values()) {
      Placement.Sum sum = sums.get(verdict);
      if (sum != null) {
        out.line(
            "%s%s: %,d files with %s"
                .formatted(verdict.reason(), how(verdict), sum.files(), sizes.text(sum.bytes())));
      }
    }
    if (sums.isEmpty()) {
      out.line("no regular files");
    }
  }

  private static String how(Verdict verdict) {
    if (verdict == Verdict.IN_PLACE || verdict == Verdict.COMPRESSED) {
      return "";
    }
    return verdict.isReadable() ? ", by copy" : ", refused";
  }

  private void printFile(Placement.FilePlacement file, Output out) throws IOException {
    out.text(
        "%-26s %12s %5d extents  "
            .formatted(file.verdict().reason(), sizes.of(file.inode().size()), file.extents()));
    out.name(Paths.join(path, file.path()));
    out.text("\n");
  }

  private void printJson(OpenImage mount, Inode start, TerminalProgress progress, Output out)
      throws IOException {
    FsImage image = mount.image();
    FsInfo info = image.info();
    JsonWriter writer = new JsonWriter(out).beginObject();
    writer
        .member("image", FileName.of(image.name()))
        .member("format", info.format())
        .member("blockSize", info.blockSize())
        .member("path", path)
        .name("files")
        .beginArray();
    Map<Verdict, Placement.Sum> sums =
        Placement.check(
            image,
            start,
            file ->
                writer
                    .beginObject()
                    .member("path", Paths.join(path, file.path()))
                    .member("verdict", name(file.verdict()))
                    .member("bytes", file.inode().size())
                    .member("extents", file.extents())
                    .member("alignedBytes", file.alignedBytes())
                    .endObject(),
            progress);
    writer.endArray();
    JournalText.write(mount.overlay(), writer);
    writer.name("sums").beginObject();
    for (Map.Entry<Verdict, Placement.Sum> sum : sums.entrySet()) {
      writer
          .name(name(sum.getKey()))
          .beginObject()
          .member("files", sum.getValue().files())
          .member("bytes", sum.getValue().bytes())
          .endObject();
    }
    writer.endObject().endObject().finish();
  }

  private static String name(Verdict verdict) {
    return verdict.name().toLowerCase(Locale.ROOT);
  }
}
