package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.vm.MemoryFaultException;
import java.io.IOException;

/** System calls about descriptors: close, dup, fcntl, pipe. Linux counterpart: fs/fcntl.c. */
final class DescriptorCalls {
  private static final int O_CLOEXEC = 0x8_0000;
  private static final int FD_CLOEXEC = 1;
  private static final int CLOSE_RANGE_CLOEXEC = 4;
  private static final int FIONCLEX = 0x5450;
  private static final int FIOCLEX = 0x5451;
  private static final int FIONBIO = 0x5421;
  private static final int F_DUPFD = 0;
  private static final int F_GETFD = 1;
  private static final int F_SETFD = 2;
  private static final int F_GETFL = 3;
  private static final int F_SETFL = 4;
  private static final int F_DUPFD_CLOEXEC = 1030;

  private final Task task;

  DescriptorCalls(Task task) {
    this.task = task;
  }

  private Descriptors descriptors() {
    return task.descriptors();
  }

  /** close(2). */
  long close(long fd) {
    synchronized (task.kernel()) {
      return descriptors().close(fd) ? 0 : -Errno.EBADF.number();
    }
  }

  /** close_range(2). */
  long closeRange(long first, long last, int flags) {
    if (Long.compareUnsigned(first, last) > 0 || (flags & ~CLOSE_RANGE_CLOEXEC) != 0) {
      return -Errno.EINVAL.number();
    }
    synchronized (task.kernel()) {
      for (long fd = first; fd <= Math.min(last, Descriptors.LIMIT - 1); fd++) {
        if (flags == 0) {
          descriptors().close(fd);
        } else if (descriptors().file(fd) != null) {
          descriptors().setClosedAtExec(fd, true);
        }
      }
    }
    return 0;
  }

  /** dup(2). */
  long duplicate(long fd) {
    return control(fd, F_DUPFD, 0);
  }

  /** dup2(2). */
  long duplicate(long fd, long to) {
    synchronized (task.kernel()) {
      return fd == to && descriptors().file(fd) != null ? fd : duplicate(fd, to, 0);
    }
  }

  /** dup3(2). */
  long duplicate(long fd, long to, int flags) {
    synchronized (task.kernel()) {
      OpenFile file = descriptors().file(fd);
      if (file == null || to < 0 || to >= descriptors().limit()) {
        return -Errno.EBADF.number();
      }
      if (fd == to || (flags & ~O_CLOEXEC) != 0) {
        return -Errno.EINVAL.number();
      }
      descriptors().put((int) to, file, flags != 0);
      return to;
    }
  }

  /** fcntl(2). */
  long control(long fd, int command, long argument) {
    synchronized (task.kernel()) {
      OpenFile file = descriptors().file(fd);
      if (file == null) {
        return -Errno.EBADF.number();
      }
      switch (command) {
        case F_DUPFD, F_DUPFD_CLOEXEC -> {
          if (argument < 0 || argument >= descriptors().limit()) {
            return -Errno.EINVAL.number();
          }
          int added = descriptors().add(file, (int) argument, command == F_DUPFD_CLOEXEC);
          return added < 0 ? -Errno.EMFILE.number() : added;
        }
        case F_GETFD -> {
          return descriptors().isClosedAtExec(fd) ? FD_CLOEXEC : 0;
        }
        case F_SETFD -> {
          descriptors().setClosedAtExec(fd, (argument & FD_CLOEXEC) != 0);
          return 0;
        }
        case F_GETFL -> {
          return file.flags();
        }
        case F_SETFL -> {
          file.setFlags((int) argument);
          return 0;
        }
        default -> {
          return -Errno.EINVAL.number();
        }
      }
    }
  }

  /** ioctl(2): the requests that all files know, or those of the file. */
  long request(long fd, int request, long argument) throws IOException {
    OpenFile file;
    synchronized (task.kernel()) {
      file = descriptors().file(fd);
      if (file == null) {
        return -Errno.EBADF.number();
      }
      if (request == FIOCLEX || request == FIONCLEX) {
        descriptors().setClosedAtExec(fd, request == FIOCLEX);
        return 0;
      }
    }
    if (request != FIONBIO) {
      return file.control(task, request, argument);
    }
    int wait = file.flags() & ~OpenFile.O_NONBLOCK;
    file.setFlags(task.memory().getInt(argument) == 0 ? wait : wait | OpenFile.O_NONBLOCK);
    return 0;
  }

  /** pipe2(2). */
  long pipe(long va, int flags) throws IOException {
    if ((flags & ~(O_CLOEXEC | OpenFile.O_NONBLOCK)) != 0) {
      return -Errno.EINVAL.number();
    }
    Pipe pipe = new Pipe(task.kernel());
    boolean closedAtExec = (flags & O_CLOEXEC) != 0;
    int kept = flags & OpenFile.O_NONBLOCK;
    long number = task.kernel().nextInode();
    return addPair(
        pipe.readEnd(kept).numbered(number),
        pipe.writeEnd(kept).numbered(number),
        closedAtExec,
        va);
  }

  /** Opens two files and writes their descriptors. */
  long addPair(OpenFile one, OpenFile other, boolean closedAtExec, long va)
      throws MemoryFaultException {
    int first;
    int second;
    synchronized (task.kernel()) {
      first = descriptors().add(one, 0, closedAtExec);
      second = first < 0 ? -1 : descriptors().add(other, 0, closedAtExec);
      if (second < 0) {
        descriptors().close(first);
        return -Errno.EMFILE.number();
      }
    }
    try {
      task.memory().putInt(va, first);
      task.memory().putInt(va + 4, second);
      return 0;
    } catch (MemoryFaultException e) {
      close(first);
      close(second);
      throw e;
    }
  }
}
