package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.file.InPlaceFile;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.machine.Mount;
import java.io.IOException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;

/** The files of the image, which is the root file system and cannot be written to. */
final class ImageFiles {
  private final Mount mount;

  ImageFiles(Mount mount) {
    this.mount = mount;
  }

  Inode resolve(String path, boolean followLast) throws IOException {
    return PathResolver.resolve(mount.image(), path, followLast);
  }

  OpenFile open(String path, int flags) throws IOException {
    Inode inode = resolve(path, true);
    InPlaceFile bytes = inode.type() == FileType.DIRECTORY ? null : mount.open(path, inode);
    return new ImageFile(flags, inode, bytes);
  }

  InPlaceFile program(String path) throws IOException {
    return mount.open(path, resolve(path, true));
  }

  String linkTarget(Inode link) throws IOException {
    return mount.image().readLink(link).toString();
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
