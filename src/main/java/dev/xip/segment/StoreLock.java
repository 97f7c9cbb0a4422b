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
 * The lock for changing a store: one holder at a time among all processes and all threads. It is an
 * open file description lock, which the kernel releases when its holder dies; a POSIX record lock
 * would not exclude a second holder in the same process. Readers need no lock, since every change
 * takes effect by one rename or unlink.
 *
 * <p>Only users that may write to the folder can open the file: another user's shared lock would
 * block all changes.
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
   * Takes the lock, waiting if another has it.
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
    while (waiting.goesOn() && !queued.isDone()) {}
    if (queued.isDone() && queued.take()) {
      return new StoreLock(file);
    }
    String holder = waiting.holder(); // before the file may be closed
    if (queued.take()) {
      return new StoreLock(file);
    }
    throw new SegmentException(
        Errno.EBUSY,
        "segment store %s: locked by %s, not released within %s s"
            .formatted(folder.path(), holder, limit.seconds()));
  }

  /**
   * A place in the kernel's queue for the lock (F_OFD_SETLKW), which is fair where polling is not.
   * Such a wait cannot be cancelled, so a thread of its own does it, and releases the lock if it
   * gets it after the caller has given up.
   */
  private static final class Queued {
    private final HostFile file;
    private final Thread caller = Thread.currentThread();
    private boolean done;
    private boolean abandoned;
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
        done = true;
        failure = refused;
        if (abandoned) {
          file.close();
        }
      }
      LockSupport.unpark(caller);
    }

    synchronized boolean isDone() {
      return done;
    }

    /** Takes the lock if it was granted, or gives up waiting. */
    synchronized boolean take() throws HostException {
      if (failure != null) {
        file.close();
        throw failure;
      }
      abandoned = !done;
      return done;
    }
  }

  private static HostFile open(StoreFolder folder) throws IOException {
    while (true) {
      try {
        HostFile file = folder.openRegular(NAME, true);
        adjustMode(file, folder.stat());
        return file;
      } catch (HostException e) {
        if (e.errno() != Errno.ENOENT) {
          throw e;
        }
      }
      try (HostFile file = folder.open().create(NAME, 0600)) {
        grant(file, folder.stat());
      } catch (HostException e) {
        if (e.errno() != Errno.EEXIST) { // another process made it just now
          throw e;
        }
      }
    }
  }

  /** Grants the file to the users that may write to the folder. */
  private static void grant(HostFile file, HostStat folder) throws HostException {
    int mode = mode(folder);
    if ((mode & 0060) != 0) {
      try {
        file.setOwner(-1, folder.gid());
      } catch (HostException e) {
        mode |= 0006; // for the group's members
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
   * Follows a change of the folder's mode. A file that another user may have linked or renamed to
   * this name is left alone: it may be another file of the caller's.
   */
  private static void adjustMode(HostFile file, HostStat folder) throws HostException {
    HostStat found = file.stat();
    boolean made = found.uid() == Caller.uid() && found.nlink() == 1 && found.size() == 0;
    if (made && (found.mode() & 0777) != mode(folder)) {
      grant(file, folder);
    }
  }

  @Override
  public void close() {
    file.close();
  }
}
