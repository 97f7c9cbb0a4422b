package dev.xip.cli;

import dev.xip.base.FileName;
import dev.xip.image.FileType;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.mount.OpenImage;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/**
 * {@code xip paths}, for the completion script: prints the paths of an image that begin with a
 * text, each ended by a zero byte, as names may hold line feeds. Directories end in a slash.
 */
@Command(name = "paths", hidden = true)
final class PathsCommand extends ImageCommand {
  private static final List<FileName> SELF_AND_PARENT =
      List.of(FileName.of("."), FileName.of(".."));

  @Parameters(index = "1", arity = "0..1", defaultValue = "")
  private String beginning;

  PathsCommand() {}

  @Override
  int run(OpenImage mount, FsImage image, Output out) throws IOException {
    FileName typed = FileName.of(beginning);
    int start = typed.length();
    while (start > 0 && typed.at(start - 1) != '/') {
      start--;
    }
    FileName folder = typed.part(0, start);
    FileName first = typed.part(start, typed.length());
    Inode directory = start == 0 ? image.root() : PathResolver.resolve(image, folder, true);
    image.list(
        directory,
        (name, number, type) -> {
          if (begins(name, first) && !SELF_AND_PARENT.contains(name)) {
            out.name(folder);
            out.name(name);
            out.text(isDirectory(image, Paths.join(folder, name), number) ? "/\0" : "\0");
          }
          return true;
        });
    return Main.DONE;
  }

  private static boolean begins(FileName name, FileName first) {
    return name.length() >= first.length() && name.part(0, first.length()).equals(first);
  }

  private static boolean isDirectory(FsImage image, FileName path, long number) {
    try {
      Inode inode = image.inode(number);
      if (inode.type() == FileType.SYMLINK) {
        inode = PathResolver.resolve(image, path, true);
      }
      return inode.type() == FileType.DIRECTORY;
    } catch (IOException e) {
      return false; // a name can be completed whatever is behind it
    }
  }
}
