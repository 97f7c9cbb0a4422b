package dev.xip.mount;

import dev.xip.base.Errno;
import dev.xip.host.HostException;
import dev.xip.host.HostFolder;
import dev.xip.host.HostStat;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/**
 * A file that a run of an image's bytes is in.
 *
 * @param start which byte of the image the file's first byte is
 * @param length how many bytes of the file belong to the image
 * @param file the name under which it was opened
 * @param channel the open file
 */
public record ImagePiece(long start, long length, Path file, FileChannel channel) {
  /** {@return the byte of the image behind the piece} */
  public long end() {
    return start + length;
  }

  /**
   * Tells whether the piece lies in a certain file.
   *
   * @param other attributes of that file
   * @return false too if the name of the piece is gone
   * @throws HostException if the system does not tell
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
