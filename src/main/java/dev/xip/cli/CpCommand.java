package dev.xip.cli;

import dev.xip.base.FileName;
import dev.xip.extract.CopyOut;
import dev.xip.image.FsImage;
import dev.xip.image.PathResolver;
import dev.xip.mount.OpenImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code xip cp}: copies out of an image. */
@Command(
    name = "cp",
    header = "Copy a file or a tree out of an image.",
    description = {
      "%nCopies regular files, directories, symbolic links, pipes and sockets with their modes,"
          + " times and extended attributes; holes stay holes, hard links stay links. Root copies"
          + " owners and device nodes too. A new file gets its name only when it is complete; until"
          + " then other users can neither see nor replace it.%n",
      "If DEST is a folder, the copy is made in it; the contents of the image's root are copied"
          + " directly into DEST, with the root's own attributes if DEST is new or empty. An"
          + " existing file keeps its mode, owner and extended attributes; a pipe or device is"
          + " written to. A symbolic link is followed unless another user could have made it.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xip cp disk.img /etc/fstab .",
      "  xip cp -r disk.img /home/me /tmp/rescued",
      "  xip cp -r disk.img / /srv/same          as root: all files with all attributes",
      "",
      "As root, give --no-set-id and --no-devices for an image that is not trusted: a set-id"
          + " program runs as its owner, and a device node gives access to hardware. Owners, device"
          + " nodes and system attributes, which only root can keep, are counted in one line for"
          + " other users. The exit code is 1 if a file was left out, or an attribute that this"
          + " user may set was refused."
    })
final class CpCommand extends ImageCommand {
  @Parameters(
      index = "1",
      paramLabel = "PATH",
      converter = PathConverter.class,
      description = "A path inside the image; a symbolic link is copied as a link.")
  private FileName source;

  @Parameters(
      index = "2",
      paramLabel = "DEST",
      converter = PathConverter.class,
      description = "The new name, or a folder; a slash at the end requires a folder.")
  private FileName destination;

  @Option(names = "-r", description = "Copy directories recursively.")
  private boolean recursive;

  @Option(
      names = "--no-xattrs",
      description = "Do not copy extended attributes, access control lists and capabilities.")
  private boolean noExtended;

  @Option(names = "--no-set-id", description = "Drop set-id bits and file capabilities.")
  private boolean noSetId;

  @Option(names = "--no-devices", description = "Leave out device nodes.")
  private boolean noDevices;

  CpCommand() {}

  @Override
  int run(OpenImage mount, FsImage image, Output out) throws IOException {
    CopyOut.Outcome outcome;
    try (TerminalProgress progress = TerminalProgress.ofFiles("copying")) {
      outcome =
          CopyOut.copy(
              mount,
              PathResolver.resolve(image, source, false),
              Paths.last(source),
              destination,
              new CopyOut.Options(recursive, !noExtended, !noSetId, !noDevices),
              progress);
    }
    List<String> lost = new ArrayList<>();
    if (outcome.leftOut() > 0) {
      lost.add(
          "%d of %d files left out, the first %s"
              .formatted(
                  outcome.leftOut(), outcome.leftOut() + outcome.files(), outcome.firstLeftOut()));
    }
    if (outcome.refused() > 0) {
      lost.add(
          "%d extended attributes refused, the first %s"
              .formatted(outcome.refused(), outcome.firstRefused()));
    }
    boolean failed = !lost.isEmpty();
    if (outcome.privileged() > 0) {
      lost.add(
          "%d extended attributes not kept, because only root can set them, the first %s"
              .formatted(outcome.privileged(), outcome.firstPrivileged()));
    }
    if (recursive && outcome.foreign() > 0) {
      lost.add(
          "%d files without their owner or group, which only root can set"
              .formatted(outcome.foreign()));
    }
    String text = image.name() + ": " + String.join("; ", lost);
    if (failed) {
      throw new IOException(text);
    }
    if (!lost.isEmpty()) {
      Errors.line(text);
    }
    return Main.DONE;
  }
}
