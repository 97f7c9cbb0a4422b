package dev.xip.host;

import dev.xip.base.AtomicContext;
import dev.xip.base.FileName;
import dev.xip.bindings.Libc;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What is done to names in folders, each call one call of the system, so that a failure has the
 * system's own code. A change of names is on the storage when {@link #force} of the folder has
 * returned. Paths are of the default file system.
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
   * Gives a file one more name, link(2).
   *
   * @param file a name that it has
   * @param name the name that it is to have too
   * @throws HostException if the name is taken (EEXIST), on another file system (EXDEV), or the
   *     system refuses: ENOSPC, EROFS, EACCES, or EPERM for a stranger's file
   */
  public static void link(Path file, Path name) throws HostException {
    AtomicContext.mightSleep("link");
    FolderCalls.link(HostPaths.nameOf(file), HostPaths.nameOf(name));
  }

  /**
   * Gives a file another name in one step, taking that name from whatever had it, rename(2). Two
   * names of one file are left as they are.
   *
   * @param from its name
   * @param to the name that it is to have instead
   * @throws HostException if there is no such file (ENOENT), the name is on another file system
   *     (EXDEV), or the system refuses
   */
  public static void rename(Path from, Path to) throws HostException {
    AtomicContext.mightSleep("rename");
    FolderCalls.rename(HostPaths.nameOf(from), HostPaths.nameOf(to));
  }

  /**
   * Takes a name from a file, unlink(2). With its last name and its last user a file goes.
   *
   * @param path the name
   * @return false if nothing had it
   * @throws HostException if it is a folder's (EISDIR) or the system refuses
   */
  public static boolean unlink(Path path) throws HostException {
    AtomicContext.mightSleep("unlink");
    try {
      FolderCalls.unlink(HostPaths.nameOf(path));
      return true;
    } catch (HostException e) {
      if (e.errno() == Errno.ENOENT) {
        return false;
      }
      throw e;
    }
  }

  /**
   * Makes a folder, mkdir(2).
   *
   * @param path its name
   * @param mode the permission bits, from which the process's umask is taken away
   * @throws HostException if something is there (EEXIST), there is nothing to make it in (ENOENT),
   *     or the system refuses
   */
  public static void make(Path path, int mode) throws HostException {
    AtomicContext.mightSleep("mkdir");
    FolderCalls.mkdir(HostPaths.nameOf(path), mode);
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

  /**
   * Lists names in a folder, getdents64(2), without {@code .} and {@code ..}. A name that is not
   * asked for costs next to nothing.
   *
   * @param folder the folder
   * @param start what the names begin with, empty for all names
   * @return the names in no order; of what is made or removed meanwhile it may have some
   * @throws HostException if it is no folder (ENOTDIR), is missing or may not be read
   */
  public static List<String> names(Path folder, String start) throws HostException {
    AtomicContext.mightSleep("getdents64");
    FileName path = HostPaths.nameOf(folder);
    int fd = open(path);
    try {
      List<String> names = new ArrayList<>();
      for (FileName each : DirectoryRecords.names(fd, path.toString(), FileName.of(start))) {
        names.add(each.toString());
      }
      return names;
    } finally {
      FileCalls.close(fd);
    }
  }

  private static int open(FileName folder) throws HostException {
    return FileCalls.open(folder, Libc.O_RDONLY() | Libc.O_DIRECTORY() | Libc.O_CLOEXEC(), 0);
  }
}
