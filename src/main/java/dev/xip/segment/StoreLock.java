package dev.xip.segment;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.host.Caller;
import dev.xip.host.HostException;
import dev.xip.host.HostFile;
import dev.xip.host.HostStat;
import java.io.IOException;
import java.util.concurrent.locks.LockSupport;

/**
 * The right to change a store: one holder at a time among all processes and all threads. It is a
 * lock of the open file, which the system gives back when its holder dies; a POSIX record lock
 * would not keep two holders in one process apart. Readers need none, since every change is one
 * rename or unlink.
 *
 * <p>The file is open to users that may write to the folder and to no others: a lock for reading
 * keeps out one for writing.
 */
final class StoreLock implements AutoCloseable {
  private static final FileName NAME = FileName.of(StoreFile.LOCK);
  private static final int GROUP_WRITES = 0020;
  private static final int OTHERS_WRITE = 0002;

  private final HostFile file;

  private StoreLock(HostFile file) {
    this.file = file;
  }

  /**
   * Waits for the right.
   *
   * @throws SegmentException EBUSY if another holds it for as long as the limit; EIO if the file is
   *     no regular file
   */
  static StoreLock acquire(StoreFolder folder, WaitLimit limit) throws IOException {
    HostFile file = open(folder);
    try {
      if (file.tryLockExclusive(0, Long.MAX_VALUE)) {
        return new StoreLock(file);
      }
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
    Waiting waiting = new Waiting(limit, file);
    Queued queued = new Queued(file);
    while (waiting.goesOn() && !queued.isOver()) {}
    if (queued.isOver() && queued.take()) {
      return new StoreLock(file);
    }
    String holder = waiting.holder(); // before the file may be closed
    if (queued.take()) {
      return new StoreLock(file);
    }
    throw new SegmentException(
        Errno.EBUSY,
        "segment store " + folder.path(),
        "its lock within %s s".formatted(limit.seconds()),
        "it held by " + holder);
  }

  /**
   * A place in the system's queue for the lock, which lets those who wait have their turn, however
   * often others ask. A thread that waits there cannot be called back, so it is one of its own;
   * what it is given after its caller has left, it gives back.
   */
  private static final class Queued {
    private final HostFile file;
    private final Thread caller = Thread.currentThread();
    private boolean over;
    private boolean left;
    private HostException failure;

    Queued(HostFile file) {
      this.file = file;
      Thread.ofPlatform().daemon().name("wait for " + file).start(this::await);
    }

    private void await() {
      HostException refused = null;
      try {
        file.lockExclusive(0, Long.MAX_VALUE);
      } catch (HostException e) {
        refused = e;
      }
      synchronized (this) {
        over = true;
        failure = refused;
        if (left) {
          file.close();
        }
      }
      LockSupport.unpark(caller);
    }

    synchronized boolean isOver() {
      return over;
    }

    /** Takes the lock if it has been given, or leaves the queue. */
    synchronized boolean take() throws HostException {
      if (failure != null) {
        file.close();
        throw failure;
      }
      left = !over;
      return over;
    }
  }

  private static HostFile open(StoreFolder folder) throws IOException {
    while (true) {
      try {
        HostFile file = folder.openRegular(NAME, true);
        fit(file, folder.stat());
        return file;
      } catch (HostException e) {
        if (e.errno() != Errno.ENOENT) {
          throw e;
        }
      }
      try (HostFile file = folder.open().create(NAME, 0600)) {
        open(file, folder.stat());
      } catch (HostException e) {
        if (e.errno() != Errno.EEXIST) { // another process made it just now
          throw e;
        }
      }
    }
  }

  /** Lets those who may write to the folder lock the file. */
  private static void open(HostFile file, HostStat folder) throws HostException {
    int mode = mode(folder);
    if ((mode & 0060) != 0) {
      try {
        file.setOwner(-1, folder.gid());
      } catch (HostException e) {
        mode |= 0006; // the group's members have no other way
      }
    }
    file.setMode(mode);
  }

  private static int mode(HostStat folder) {
    return 0600
        | ((folder.mode() & GROUP_WRITES) != 0 ? 0060 : 0)
        | ((folder.mode() & OTHERS_WRITE) != 0 ? 0006 : 0);
  }

  /**
   * The folder may have been opened or closed to others since. What another user may have linked or
   * renamed to here is left as it is: another file of the caller's.
   */
  private static void fit(HostFile file, HostStat folder) throws HostException {
    HostStat found = file.stat();
    boolean made = found.uid() == Caller.uid() && found.nlink() == 1 && found.size() == 0;
    if (made && (found.mode() & 0777) != mode(folder)) {
      open(file, folder);
    }
  }

  @Override
  public void close() {
    file.close();
  }
}
