package dev.xip.cli;

import dev.xip.base.FileName;
import dev.xip.image.FsImage;
import dev.xip.image.PathResolver;
import dev.xip.machine.CopyOut;
import dev.xip.machine.ImageMount;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code xip cp}: copies out of an image. */
@Command(
    name = "cp",
    header = "Copy a file or a tree out of an image.",
    description = {
      "%nCopies regular files, directories and symbolic links with their modes and times of change"
          + " (owners too if root does it); holes stay holes, hard links stay links. A file has its"
          + " name only when it is whole. If DEST is a folder, the copy goes into it; the contents"
          + " of the image's root go straight into it.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xip cp disk.img /etc/fstab .",
      "  xip cp -r disk.img /home/me /tmp/rescued",
      "",
      "Device nodes, pipes and sockets are not made: they are no data, and a device node from a",
      "foreign image opens hardware to whoever can reach it. The rest of the tree is copied; then",
      "the exit code is 1 and the line names the first one."
    })
final class CpCommand extends ImageCommand {
  @Parameters(
      index = "1",
      paramLabel = "PATH",
      converter = PathConverter.class,
      description = "A path inside the image; a symbolic link is copied as a link.")
  private FileName source;

  @Parameters(index = "2", paramLabel = "DEST", description = "The new name, or a folder.")
  private Path destination;

  @Option(names = "-r", description = "Copy directories with all that is in them.")
  private boolean recursive;

  CpCommand() {}

  @Override
  int run(ImageMount mount, FsImage image, Output out) throws IOException {
    CopyOut.Outcome outcome;
    try (TerminalProgress progress = TerminalProgress.ofFiles("copying")) {
      outcome =
          CopyOut.copy(
              mount,
              PathResolver.resolve(image, source, false),
              Paths.last(source),
              destination,
              recursive,
              progress);
    }
    if (outcome.leftOut() > 0) {
      throw new IOException(
          "%s: %d of %d files left out, the first %s: only files, directories and links are copied"
              .formatted(
                  image.name(),
                  outcome.leftOut(),
                  outcome.leftOut() + outcome.files(),
                  outcome.firstLeftOut()));
    }
    return Main.DONE;
  }
}
