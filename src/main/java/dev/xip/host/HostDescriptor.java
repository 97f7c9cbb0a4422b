package dev.xip.host;

import dev.xip.base.AtomicContext;
import dev.xip.base.FileName;
import java.nio.file.Path;
import java.util.SortedMap;

/**
 * An open file or folder, or a name held by O_PATH: the operations on its descriptor, which do not
 * depend on its name.
 *
 * <p>All methods may be called from any thread. Precondition of {@link #close}: no other call is
 * running; it could use an unrelated descriptor that gets the same number.
 */
public abstract sealed class HostDescriptor implements AutoCloseable
    permits HostFile, HostNode, OpenFolder {
  private static final int CLOSED = -1;

  private final String name;

  /** The descriptor, or {@link #CLOSED}. */
  private volatile int fd;

  HostDescriptor(int fd, String name) {
    this.fd = fd;
    this.name = name;
  }

  /**
   * Returns the descriptor.
   *
   * @return its number, valid until {@link #close}
   * @throws IllegalStateException if it is closed
   */
  public final int fd() {
    int now = fd;
    if (now == CLOSED) {
      throw new IllegalStateException(name + " is closed");
    }
    return now;
  }

  /** {@return the path as given, or {@code memfd:} and the name; for messages only} */
  public final String name() {
    return name;
  }

  /**
   * Returns a path under which this process can open the same file again even if it has no name,
   * proc(5).
   *
   * @return {@code /proc/self/fd/N}, valid until {@link #close}
   */
  public final Path descriptorPath() {
    return Path.of("/proc/self/fd/" + fd());
  }

  /**
   * Returns the attributes, statx(2).
   *
   * @return the attributes, as of now
   * @throws HostException if the system refuses
   */
  public final HostStat stat() throws HostException {
    return FileCalls.statx(fd(), name);
  }

  /**
   * Waits until all that was written, or in a folder all names, are on the storage, fsync(2).
   *
   * @throws HostException if some of it could not be written
   */
  public final void force() throws HostException {
    AtomicContext.mightSleep("fsync");
    FileCalls.fsync(fd(), name);
  }

  /**
   * Sets the permissions, fchmod(2); the umask does not apply.
   *
   * @param mode the low twelve bits: set-id, sticky, permissions
   * @throws HostException if the file is another user's (EPERM) or the system refuses
   */
  public final void setMode(int mode) throws HostException {
    AttributeCalls.fchmod(fd(), name, mode);
  }

  /**
   * Sets owner and group, fchown(2). It clears the set-id bits: set the mode afterwards.
   *
   * @param uid the owner, -1 to leave it
   * @param gid the group, -1 to leave it
   * @throws HostException if the caller may not (EPERM) or the system refuses
   */
  public final void setOwner(int uid, int gid) throws HostException {
    AttributeCalls.fchown(fd(), name, uid, gid);
  }

  /**
   * Sets the times, futimens(3).
   *
   * @param times of access and change
   * @throws HostException if the caller may not (EPERM) or the system refuses
   */
  public final void setTimes(HostTimes times) throws HostException {
    AttributeCalls.futimens(fd(), name, times);
  }

  /**
   * Reads all extended attributes that the caller may see, xattr(7).
   *
   * @return the values by full name, sorted; empty where the file system has none
   * @throws HostException if the system refuses
   */
  public final SortedMap<FileName, byte[]> extendedAttributes() throws HostException {
    return AttributeCalls.extendedAttributes(fd(), name);
  }

  /**
   * Sets one extended attribute, fsetxattr(2).
   *
   * @param attribute its full name, such as {@code user.origin}
   * @param value its value
   * @throws HostException if the file system has none (EOPNOTSUPP), the caller may not (EPERM) or
   *     there is no room (ENOSPC, E2BIG, ERANGE)
   */
  public final void setExtendedAttribute(FileName attribute, byte[] value) throws HostException {
    AttributeCalls.setExtendedAttribute(fd(), name, attribute, value);
  }

  /**
   * Closes the descriptor; a second time does nothing. Errors of earlier writes are reported by
   * {@link #force}, not here.
   */
  @Override
  public final synchronized void close() {
    int last = fd;
    fd = CLOSED;
    if (last != CLOSED) {
      FileCalls.close(last);
    }
  }

  @Override
  public final String toString() {
    return name;
  }
}
