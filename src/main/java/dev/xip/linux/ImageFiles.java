package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.file.InPlaceFile;
import dev.xip.image.DirEntryVisitor;
import dev.xip.image.FileType;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.machine.Mount;
import dev.xip.mapping.DirectAccess;
import java.io.IOException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;

/** The files of the image, which is the root file system and cannot be written to. */
public final class ImageFiles {
  static final String ROOT = "/";

  private final FsImage image;
  private final Opener opener;

  /** Opens a regular file. */
  private interface Opener {
    InPlaceFile open(String path, Inode inode) throws IOException;
  }

  private ImageFiles(FsImage image, Opener opener) {
    this.image = image;
    this.opener = opener;
  }

  /**
   * {@return the files of a mount, which must not be closed while programs run}
   *
   * @param mount the image in segments
   */
  public static ImageFiles of(Mount mount) {
    return new ImageFiles(mount.image(), mount::open);
  }

  /**
   * {@return the files of an image on a device}
   *
   * @param image the image
   * @param device what it lies on, its first byte the image's first
   */
  public static ImageFiles of(FsImage image, DirectAccess device) {
    return new ImageFiles(image, (path, inode) -> InPlaceFile.open(path, image, inode, device));
  }

  Inode resolve(String path, boolean followLast) throws IOException {
    return PathResolver.resolve(image, path, followLast);
  }

  OpenFile open(String path, int flags) throws IOException {
    Inode inode = resolve(path, true);
    InPlaceFile bytes = inode.type() == FileType.DIRECTORY ? null : opener.open(path, inode);
    return new ImageFile(flags, path, inode, bytes);
  }

  /** A path with what a relative one starts from; an empty one stays, and names nothing. */
  static String absolute(String directory, String path) {
    return path.isEmpty() || path.startsWith(ROOT) ? path : directory + ROOT + path;
  }

  /** An absolute path without links, dots and doubled slashes. */
  String canonical(String path) throws IOException {
    Deque<String> rest = new ArrayDeque<>(List.of(path.split(ROOT)));
    Deque<String> done = new ArrayDeque<>();
    int links = 0;
    while (!rest.isEmpty()) {
      String name = rest.pop();
      if (name.equals("..")) {
        done.pollLast();
      } else if (!name.isEmpty() && !name.equals(".")) {
        String here = ROOT + String.join(ROOT, done) + ROOT + name;
        Inode inode = resolve(here, false);
        if (inode.type() != FileType.SYMLINK) {
          done.add(name);
          continue;
        }
        if (++links > PathResolver.MAX_LINKS) {
          throw new FileSystemLoopException(path);
        }
        String target = linkTarget(inode);
        if (target.startsWith(ROOT)) {
          done.clear();
        }
        List.of(target.split(ROOT)).reversed().forEach(rest::push);
      }
    }
    return ROOT + String.join(ROOT, done);
  }

  /** Lists a directory. */
  void list(Inode directory, DirEntryVisitor visitor) throws IOException {
    image.list(directory, visitor);
  }

  Map<FileName, byte[]> attributes(Inode file) throws IOException {
    return image.extendedAttributes(file);
  }

  InPlaceFile program(String path) throws IOException {
    return opener.open(path, resolve(path, true));
  }

  String linkTarget(Inode link) throws IOException {
    return image.readLink(link).exactText();
  }

  /** The error code of a path that cannot be resolved or opened. */
  static Errno errno(IOException failure) {
    return switch (failure) {
      case NoSuchFileException e -> Errno.ENOENT;
      case NotDirectoryException e -> Errno.ENOTDIR;
      case FileSystemLoopException e -> Errno.ELOOP;
      default -> Errno.EIO;
    };
  }
}
