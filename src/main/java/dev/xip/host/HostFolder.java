package dev.xip.host;

import dev.xip.base.AtomicContext;
import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.bindings.Libc;
import java.nio.file.Path;

/**
 * Questions about paths of the default file system, each one call of the system, so that a failure
 * has the system's own code. Changes of names are made beneath an {@link OpenFolder}; they are on
 * the storage when {@link #force} of the folder has returned.
 */
public final class HostFolder {
  private HostFolder() {}

  /**
   * Asks for the attributes of whatever has a name, statx(2); links are followed.
   *
   * @param path the name
   * @return the attributes, as of now
   * @throws HostException if there is none (ENOENT) or the way to it is barred (EACCES, ENOTDIR)
   */
  public static HostStat stat(Path path) throws HostException {
    AtomicContext.mightSleep("statx");
    return FileCalls.statx(HostPaths.nameOf(path));
  }

  /**
   * Tells whether something has a name.
   *
   * @param path the name
   * @return false if nothing has it
   * @throws HostException if that cannot be told, for example EACCES
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
