package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.vm.MemoryFaultException;
import java.io.IOException;

/** System calls about sockets, of which there are connected pairs alone. */
final class SocketCalls {
  private static final int AF_UNIX = 1;
  private static final int SOCK_STREAM = 1;
  private static final int TYPE = 0xf;
  private static final int SOCK_NONBLOCK = 0x800;
  private static final int SOCK_CLOEXEC = 0x8_0000;
  private static final int SOL_SOCKET = 1;
  private static final int SO_TYPE = 3;
  private static final int SO_ERROR = 4;
  private static final int SO_PROTOCOL = 38;
  private static final int SO_DOMAIN = 39;

  private final Task task;
  private final TransferCalls transfers;

  SocketCalls(Task task, TransferCalls transfers) {
    this.task = task;
    this.transfers = transfers;
  }

  /** socketpair(2). */
  long pair(int family, int type, int protocol, long va) throws IOException {
    if (family != AF_UNIX || protocol != 0 && protocol != AF_UNIX) {
      return -Errno.EAFNOSUPPORT.number();
    }
    if ((type & ~(TYPE | SOCK_NONBLOCK | SOCK_CLOEXEC)) != 0 || (type & TYPE) != SOCK_STREAM) {
      return -Errno.EINVAL.number();
    }
    boolean closedAtExec = (type & SOCK_CLOEXEC) != 0;
    int flags = type & SOCK_NONBLOCK;
    Pipe there = new Pipe(task.kernel());
    Pipe back = new Pipe(task.kernel());
    return new DescriptorCalls(task)
        .addPair(
            new StreamSocket(flags, back.readEnd(0), there.writeEnd(0))
                .numbered(task.kernel().nextInode()),
            new StreamSocket(flags, there.readEnd(0), back.writeEnd(0))
                .numbered(task.kernel().nextInode()),
            closedAtExec,
            va);
  }

  private Errno refused(long fd) {
    synchronized (task.kernel()) {
      OpenFile file = task.descriptors().file(fd);
      return file == null ? Errno.EBADF : file instanceof StreamSocket ? Errno.OK : Errno.ENOTSOCK;
    }
  }

  /** sendto(2): there is no address but that of the other end. */
  long send(long fd, long va, long count) throws IOException {
    Errno refused = refused(fd);
    return refused == Errno.OK ? transfers.write(fd, va, count) : -refused.number();
  }

  /** recvfrom(2). */
  long receive(long fd, long va, long count, int flags) throws IOException {
    Errno refused = flags == 0 ? refused(fd) : Errno.EINVAL;
    return refused == Errno.OK ? transfers.read(fd, va, count) : -refused.number();
  }

  /** sendmsg(2). */
  long sendMessage(long fd, long message) throws IOException {
    Errno refused = refused(fd);
    return refused == Errno.OK
        ? transfers.writev(fd, task.memory().getLong(message + 16), count(message))
        : -refused.number();
  }

  /** recvmsg(2). */
  long receiveMessage(long fd, long message, int flags) throws IOException {
    Errno refused = flags == 0 ? refused(fd) : Errno.EINVAL;
    if (refused != Errno.OK) {
      return -refused.number();
    }
    long length = transfers.readv(fd, task.memory().getLong(message + 16), count(message));
    if (length >= 0) {
      task.memory().putInt(message + 8, 0);
      task.memory().putLong(message + 40, 0);
      task.memory().putInt(message + 48, 0);
    }
    return length;
  }

  private long count(long message) throws MemoryFaultException {
    return task.memory().getLong(message + 24);
  }

  /** getsockname(2) and getpeername(2): a family without a name. */
  long name(long fd, long to, long length) throws MemoryFaultException {
    Errno refused = refused(fd);
    if (refused != Errno.OK) {
      return -refused.number();
    }
    int room = task.memory().getInt(length);
    if (room < 0) {
      return -Errno.EINVAL.number();
    }
    task.memory().write(to, new byte[] {AF_UNIX, 0}, Math.min(room, 2));
    task.memory().putInt(length, 2);
    return 0;
  }

  /** shutdown(2). */
  long shutDown(long fd, int how) {
    Errno refused = how < 0 || how > 2 ? Errno.EINVAL : refused(fd);
    if (refused != Errno.OK) {
      return -refused.number();
    }
    synchronized (task.kernel()) {
      if (task.descriptors().file(fd) instanceof StreamSocket socket) {
        socket.shutDown(how != 1, how != 0);
      }
    }
    return 0;
  }

  /** getsockopt(2). */
  long option(long fd, int level, int name, long to, long length) throws MemoryFaultException {
    Errno refused = refused(fd);
    if (refused != Errno.OK) {
      return -refused.number();
    }
    int value =
        switch (name) {
          case SO_TYPE, SO_DOMAIN -> 1;
          case SO_ERROR, SO_PROTOCOL -> 0;
          default -> -1;
        };
    if (level != SOL_SOCKET || value < 0) {
      return -Errno.EOPNOTSUPP.number();
    }
    if (task.memory().getInt(length) < Integer.BYTES) {
      return -Errno.EINVAL.number();
    }
    task.memory().putInt(to, value);
    task.memory().putInt(length, Integer.BYTES);
    return 0;
  }

  /** Other calls: there is nothing to connect to. */
  long other(long fd) {
    Errno refused = refused(fd);
    return -(refused == Errno.OK ? Errno.EOPNOTSUPP : refused).number();
  }
}
