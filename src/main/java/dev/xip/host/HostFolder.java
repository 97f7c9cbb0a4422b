package dev.xip.host;

import dev.xip.base.AtomicContext;
import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.bindings.Libc;
import java.nio.file.Path;

/**
 * Queries about paths of the default file system, each one system call, so that a failure has the
 * system's own code. Names are changed through an {@link OpenFolder}; the changes are on the
 * storage when {@link #force} of the folder has returned.
 */
public final class HostFolder {
  private HostFolder() {}

  /**
   * Returns the attributes of a path, statx(2); links are followed.
   *
   * @param path the path
   * @return the attributes, as of now
   * @throws HostException if it does not exist (ENOENT) or cannot be reached (EACCES, ENOTDIR)
   */
  public static HostStat stat(Path path) throws HostException {
    AtomicContext.mightSleep("statx");
    return FileCalls.statx(HostPaths.nameOf(path));
  }

  /**
   * Tells whether a path exists.
   *
   * @param path the path
   * @return false if it does not (ENOENT)
   * @throws HostException if that cannot be determined, for example EACCES
   */
  public static boolean exists(Path path) throws HostException {
    try {
      stat(path);
      return true;
    } catch (HostException e) {
      if (e.errno() == Errno.ENOENT) {
        return false;
      }
      throw e;
    }
  }

  /**
   * Waits until the names in a folder are on the storage, fsync(2).
   *
   * @param folder the folder
   * @throws HostException if it cannot be opened for reading or not all could be written
   */
  public static void force(Path folder) throws HostException {
    AtomicContext.mightSleep("fsync");
    FileName name = HostPaths.nameOf(folder);
    int fd = open(name);
    try {
      FileCalls.fsync(fd, name.toString());
    } finally {
      FileCalls.close(fd);
    }
  }

  private static int open(FileName folder) throws HostException {
    return FileCalls.open(folder, Libc.O_RDONLY() | Libc.O_DIRECTORY() | Libc.O_CLOEXEC(), 0);
  }
}
