package dev.xip.nio;

import dev.xip.base.FileName;
import dev.xip.image.Inode;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.SortedMap;

/**
 * A file as a caller names it.
 *
 * @param path the path
 * @param follows whether a symbolic link at its end is followed
 */
record FileReference(XipPath path, boolean follows) {
  private XipFileSystem fileSystem() {
    return path.getFileSystem();
  }

  private Inode inode() throws IOException {
    return fileSystem().inode(path, follows);
  }

  /**
   * {@return its attributes}
   *
   * @throws NoSuchFileException if there is no such file, also where a name before the last is not
   *     that of a directory
   */
  XipFileAttributes attributes() throws IOException {
    try {
      return fileSystem()
          .reading(path, () -> new XipFileAttributes(fileSystem().volume(), inode()));
    } catch (NotDirectoryException e) {
      throw new NoSuchFileException(path.toString());
    }
  }

  /** {@return its extended attributes, by whole name} */
  SortedMap<FileName, byte[]> extendedAttributes() throws IOException {
    return fileSystem().reading(path, () -> fileSystem().image().extendedAttributes(inode()));
  }

  /** {@return its access list} */
  AccessList accessList() throws IOException {
    return fileSystem().reading(path, () -> AccessList.of(fileSystem().image(), inode()));
  }
}
