package dev.xip.mount;

import dev.xip.base.Errno;
import dev.xip.host.HostException;
import dev.xip.host.HostFile;
import dev.xip.host.HostFolder;
import dev.xip.host.HostPaths;
import dev.xip.host.HostStat;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Iterator;

/**
 * A part of a file that holds a contiguous part of an image.
 *
 * @param start the image offset of its first byte
 * @param length how many bytes of the file belong to the image
 * @param fileOffset where the piece begins in the file, in bytes
 * @param file the name under which it was opened
 * @param channel the open file
 * @param key what tells the file from all others, {@link BasicFileAttributes#fileKey}
 */
public record ImagePiece(
    long start, long length, long fileOffset, Path file, FileChannel channel, Object key) {
  private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

  /** An open file, and what tells it from all others, {@link BasicFileAttributes#fileKey}. */
  record OpenFile(FileChannel channel, Object key) {}

  /** Describes a part of an open file. */
  static ImagePiece of(long start, long length, long fileOffset, Path file, OpenFile open) {
    return new ImagePiece(start, length, fileOffset, file, open.channel, open.key);
  }

  /** Tells the file that has a name now from all others. */
  static Object keyOf(Path file) throws IOException {
    return Files.readAttributes(file, BasicFileAttributes.class).fileKey();
  }

  /** {@return the image offset behind the piece} */
  public long end() {
    return start + length;
  }

  /**
   * Tells whether the piece lies in a certain file.
   *
   * @param other attributes of that file
   * @return whether it does; false if the name of the piece no longer exists
   * @throws HostException if the system refuses
   */
  public boolean isIn(HostStat other) throws HostException {
    try {
      HostStat now = HostFolder.stat(file);
      return now.dev() == other.dev() && now.ino() == other.ino();
    } catch (HostException e) {
      if (e.errno() == Errno.ENOENT) {
        return false;
      }
      throw e;
    }
  }

  /**
   * Opens the same file once more, even if another file has its name by now: then through a
   * descriptor that this process has of it, proc(5).
   *
   * @return the file, to be closed
   * @throws IOException if it may not be read any more, or has lost its name and its channel is
   *     closed
   */
  HostFile reopen() throws IOException {
    HostFile found = openIfThis(file);
    if (found == null) {
      try (DirectoryStream<Path> own = Files.newDirectoryStream(DESCRIPTORS)) {
        Iterator<Path> each = own.iterator();
        while (found == null && each.hasNext()) {
          found = openIfThis(each.next());
        }
      }
    }
    if (found != null) {
      return found;
    }
    throw new FileSystemException(
        HostPaths.text(file), null, "has lost its name, and is not open any more");
  }

  private HostFile openIfThis(Path place) throws IOException {
    if (!isThis(place)) {
      return null;
    }
    HostFile opened = HostFile.openReadOnlyOrDevice(place, HostPaths.text(file));
    if (isThis(opened.descriptorPath())) {
      return opened;
    }
    opened.close();
    return null;
  }

  private boolean isThis(Path place) {
    try {
      return key.equals(keyOf(place));
    } catch (IOException gone) {
      return false;
    }
  }
}
