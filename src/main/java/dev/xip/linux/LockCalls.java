package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.vfs.Node;
import dev.xip.vfs.RegularFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** flock(2) and the locks of fcntl(2). A call that waits ends by a signal. */
final class LockCalls {
  private static final int LOCK_SH = 1;
  private static final int LOCK_EX = 2;
  private static final int LOCK_NB = 4;
  private static final int LOCK_UN = 8;
  private static final int F_GETLK = 5;
  private static final int F_SETLKW = 7;
  private static final int F_OFD_GETLK = 36;
  private static final int F_OFD_SETLKW = 38;
  private static final short F_RDLCK = 0;
  private static final short F_WRLCK = 1;
  private static final short F_UNLCK = 2;

  /** struct flock of x86-64. */
  private static final int FLOCK_BYTES = 32;

  private final Task task;
  private final PathCalls paths;

  LockCalls(Task task, PathCalls paths) {
    this.task = task;
    this.paths = paths;
  }

  /** Whether a command of fcntl is about locks. */
  static boolean isLock(int command) {
    return command >= F_GETLK && command <= F_SETLKW
        || command >= F_OFD_GETLK && command <= F_OFD_SETLKW;
  }

  /** flock(2): the owner is the open file. */
  long flock(long fd, int operation) throws IOException {
    OpenFile file = paths.file(fd);
    int kind = operation & ~LOCK_NB;
    if (kind != LOCK_SH && kind != LOCK_EX && kind != LOCK_UN) {
      return -Errno.EINVAL.number();
    }
    if (file instanceof OpenPath || file.node() == null) {
      return -Errno.EBADF.number();
    }
    FileLocks.Lock wanted = new FileLocks.Lock(file, -1, 0, Long.MAX_VALUE, kind == LOCK_EX);
    FileLocks locks = task.kernel().wholeLocks();
    return set(locks, file.node(), wanted, kind == LOCK_UN, (operation & LOCK_NB) == 0);
  }

  private long set(
      FileLocks locks, Node node, FileLocks.Lock wanted, boolean release, boolean waits)
      throws InterruptedCallException {
    synchronized (task.kernel()) {
      if (release) {
        locks.release(node, wanted);
        task.kernel().notifyAll();
        return 0;
      }
      while (locks.conflict(node, wanted) != null) {
        if (!waits) {
          return -Errno.EAGAIN.number();
        }
        task.kernel().await(task);
      }
      locks.take(node, wanted);
      // A lock that was exclusive and is shared now may let others in.
      task.kernel().notifyAll();
      return 0;
    }
  }

  /** fcntl(2) with F_SETLK and its kin: the owner is the process, or with F_OFD_* the open file. */
  long control(long fd, int command, long va) throws IOException {
    OpenFile file = paths.file(fd);
    boolean ofFile = command >= F_OFD_GETLK;
    ByteBuffer struct =
        ByteBuffer.wrap(task.memory().read(va, FLOCK_BYTES)).order(ByteOrder.LITTLE_ENDIAN);
    short type = struct.getShort(0);
    boolean get = command == F_GETLK || command == F_OFD_GETLK;
    if (file instanceof OpenPath) {
      return -Errno.EBADF.number();
    }
    if (type < F_RDLCK
        || type > F_UNLCK
        || get && type == F_UNLCK && !ofFile
        || ofFile && struct.getInt(24) != 0
        || file.node() == null) {
      return -Errno.EINVAL.number();
    }
    FileLocks.Lock wanted = range(file, struct, type, ofFile);
    if (wanted == null) {
      return -Errno.EINVAL.number();
    }
    if (get) {
      return tell(file.node(), wanted, struct, va);
    }
    if (type == F_RDLCK && !file.isReadable() || type == F_WRLCK && !file.isWritable()) {
      return -Errno.EBADF.number();
    }
    boolean waits = command == F_SETLKW || command == F_OFD_SETLKW;
    return set(task.kernel().rangeLocks(), file.node(), wanted, type == F_UNLCK, waits);
  }

  /** Null if the range begins below 0. Linux counterpart: {@code flock_to_posix_lock}. */
  private FileLocks.Lock range(OpenFile file, ByteBuffer struct, short type, boolean ofFile)
      throws IOException {
    long base =
        switch (struct.getShort(2)) {
          case 0 -> 0;
          case 1 -> file instanceof OpenRegular open ? open.position() : 0;
          case 2 -> file.node() instanceof RegularFile regular ? regular.size() : 0;
          default -> Long.MIN_VALUE;
        };
    long start = base + struct.getLong(8);
    long length = struct.getLong(16);
    long from = length < 0 ? start + length : start;
    long end = length == 0 ? Long.MAX_VALUE : length < 0 ? start : start + length;
    if (base < 0 || from < 0 || end < 0) {
      return null;
    }
    Object owner = ofFile ? file : task.descriptors();
    return new FileLocks.Lock(owner, ofFile ? -1 : task.pid(), from, end, type == F_WRLCK);
  }

  private long tell(Node node, FileLocks.Lock wanted, ByteBuffer struct, long va)
      throws IOException {
    FileLocks.Lock found;
    synchronized (task.kernel()) {
      found = task.kernel().rangeLocks().conflict(node, wanted);
    }
    if (found == null) {
      struct.putShort(0, F_UNLCK);
    } else {
      struct.putShort(0, found.exclusive() ? F_WRLCK : F_RDLCK).putShort(2, (short) 0);
      struct.putLong(8, found.start());
      struct.putLong(16, found.end() == Long.MAX_VALUE ? 0 : found.end() - found.start());
      struct.putInt(24, found.pid());
    }
    task.memory().write(va, struct.array(), FLOCK_BYTES);
    return 0;
  }
}
