package dev.xip.segment;

import dev.xip.host.Caller;
import dev.xip.host.HostException;
import dev.xip.host.HostFile;
import dev.xip.host.HostStat;
import java.io.IOException;

/** A new file of a store, for its owner alone until it is finished. */
final class NewFile implements AutoCloseable {
  private static final int ALL_MAY_USE = 0666;
  private static final int PERMISSIONS = 0777;
  private static final int GROUP = 0070;
  private static final int OTHERS = 0007;

  private final HostFile file;
  private int mode;

  private NewFile(HostFile file, int mode) {
    this.file = file;
    this.mode = mode;
  }

  /** Makes the file under a name that nothing has. */
  static NewFile create(StoreFolder folder, StoreFile name) throws IOException {
    return new NewFile(folder.create(name), ALL_MAY_USE & ~Caller.umask());
  }

  HostFile file() {
    return file;
  }

  /** Withholds the permissions that another file withholds, from which the new one's bytes come. */
  void limitTo(HostStat other) throws HostException {
    mode &= permissions(other, file.stat().gid());
  }

  /** The permissions that a file of that group may have if its bytes come from another file. */
  static int permissions(HostStat other, int gid) {
    int mode = other.mode() & PERMISSIONS;
    // Another group's members are others to the file.
    return other.gid() == gid ? mode : mode & (~GROUP | (mode & OTHERS) << 3);
  }

  /** Sets the final permissions, and waits until the file is on the disk. */
  void finish() throws HostException {
    file.setMode(mode);
    file.force();
  }

  @Override
  public void close() {
    file.close();
  }
}
