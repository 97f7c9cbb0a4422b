package dev.xip.mount;

import dev.xip.base.Errno;
import dev.xip.host.HostException;
import dev.xip.host.HostFolder;
import dev.xip.host.HostStat;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/**
 * A part of a file that holds a contiguous part of an image.
 *
 * @param start the image offset of its first byte
 * @param length how many bytes of the file belong to the image
 * @param fileOffset where the piece begins in the file, in bytes
 * @param file the name under which it was opened
 * @param channel the open file
 */
public record ImagePiece(long start, long length, long fileOffset, Path file, FileChannel channel) {
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
}
