package dev.xip.cli;

import dev.xip.base.FileName;
import dev.xip.extract.ExtentTransfer;
import dev.xip.image.FileType;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.mount.OpenImage;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code xip cat}: prints files of an image. */
@Command(
    name = "cat",
    header = "Print files of an image.",
    description = {
      "%nWrites the bytes of each file to standard output, directly from the image file by sendfile"
          + " or copy_file_range, or to a device from the mapped image; holes are written as zeros."
          + " Symbolic links are followed inside the image.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xip cat disk.img /etc/hostname",
      "  xip cat jdk.img /lib/modules | sha256sum",
      "  xip cat disk.img /var/log/big | head -1      (a closed pipe ends it quietly)"
    })
final class CatCommand extends ImageCommand {
  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "PATH",
      converter = PathConverter.class,
      description = "Paths inside the image.")
  private List<FileName> paths;

  CatCommand() {}

  /**
   * Makes the command from arguments that are all names. Picocli would take longer for it than the
   * command for a gigabyte.
   *
   * @param arguments the command line
   * @return the command, or null if picocli must parse the arguments
   */
  static CatCommand ofNames(String[] arguments) {
    if (arguments.length < 3 || !arguments[0].equals("cat")) {
      return null;
    }
    List<FileName> paths = new ArrayList<>();
    for (int i = 1; i < arguments.length; i++) {
      if (arguments[i].isEmpty() || arguments[i].startsWith("-")) {
        return null;
      }
      paths.add(FileName.of(arguments[i]));
    }
    CatCommand command = new CatCommand();
    command.openLater(arguments[1]);
    command.paths = paths.subList(1, paths.size());
    return command;
  }

  @Override
  int run(OpenImage mount, FsImage image, Output out) throws IOException {
    FileChannel standardOutput = out.channel();
    ExtentTransfer transfer =
        out.isDevice() ? ExtentTransfer.toDevice(mount) : ExtentTransfer.from(mount);
    for (FileName path : paths) {
      Inode file = PathResolver.resolve(image, path, true);
      if (file.type() != FileType.REGULAR) {
        String found = file.type() == FileType.DIRECTORY ? "Is a directory" : "Not a regular file";
        throw new FileSystemException(image.name() + ":" + path, null, found);
      }
      try {
        transfer.stream(file, standardOutput);
      } catch (IOException e) {
        throw out.named(e);
      }
    }
    return Main.DONE;
  }
}
