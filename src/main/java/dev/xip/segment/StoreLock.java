package dev.xip.segment;

import dev.xip.host.HostException;
import dev.xip.host.HostFile;
import java.nio.file.Path;

/**
 * The right to change a store: one holder at a time among all processes and all threads. It is a
 * lock of the open file, which the system gives back when its holder dies; a POSIX record lock
 * would not keep two holders in one process apart. Readers need none, since every change is one
 * rename or unlink.
 */
final class StoreLock implements AutoCloseable {
  private static final int ANYBODY_MAY_CHANGE = 0666;

  private final HostFile file;

  private StoreLock(HostFile file) {
    this.file = file;
  }

  /** Waits for the right. */
  static StoreLock acquire(Path folder) throws HostException {
    HostFile file = HostFile.openOrCreate(folder.resolve(StoreFile.LOCK), ANYBODY_MAY_CHANGE);
    try {
      file.lockExclusive(0, Long.MAX_VALUE);
      return new StoreLock(file);
    } catch (HostException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  @Override
  public void close() {
    file.close();
  }
}
