package dev.xip.linux;

import dev.xip.base.Errno;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** epoll(7) and eventfd(2). */
final class EpollCalls {
  private static final int CLOEXEC = 0x8_0000;
  private static final int SEMAPHORE = 1;
  private static final int ADD = 1;
  private static final int DELETE = 2;
  private static final int CHANGE = 3;
  private static final int EVENT_BYTES = 12;

  private final Task task;

  EpollCalls(Task task) {
    this.task = task;
  }

  private long open(OpenFile file, boolean closedAtExec) {
    synchronized (task.kernel()) {
      int fd = task.descriptors().add(file, 0, closedAtExec);
      return fd < 0 ? -Errno.EMFILE.number() : fd;
    }
  }

  /** eventfd2(2). */
  long event(int count, int flags) {
    if ((flags & ~(SEMAPHORE | OpenFile.O_NONBLOCK | CLOEXEC)) != 0) {
      return -Errno.EINVAL.number();
    }
    return open(
        new EventFile(
            task.kernel(),
            count & 0xffff_ffffL,
            (flags & SEMAPHORE) != 0,
            flags & OpenFile.O_NONBLOCK),
        (flags & CLOEXEC) != 0);
  }

  /** epoll_create1(2). */
  long create(int flags) {
    return (flags & ~CLOEXEC) != 0 ? -Errno.EINVAL.number() : open(new EpollFile(), flags != 0);
  }

  /** epoll_ctl(2). */
  long control(long set, int what, int fd, long event) throws IOException {
    int events = what == DELETE ? 0 : task.memory().getInt(event);
    long data = what == DELETE ? 0 : task.memory().getLong(event + 4);
    synchronized (task.kernel()) {
      OpenFile waiting = task.descriptors().file(set);
      OpenFile file = task.descriptors().file(fd);
      if (waiting == null || file == null) {
        return -Errno.EBADF.number();
      }
      if (!EpollFile.takes(file)) {
        return -Errno.EPERM.number();
      }
      if (!(waiting instanceof EpollFile epoll) || file instanceof EpollFile) {
        return -Errno.EINVAL.number();
      }
      Errno done =
          switch (what) {
            case ADD -> epoll.add(fd, file, events, data);
            case DELETE -> epoll.remove(fd, file);
            case CHANGE -> epoll.change(fd, file, events, data);
            default -> Errno.EINVAL;
          };
      task.kernel().notifyAll();
      return -done.number();
    }
  }

  /** epoll_wait(2) and its kind: nanoseconds, or {@link PollCalls#FOREVER}. */
  long await(long set, long to, int most, long nanos) throws IOException {
    if (most <= 0 || most > Integer.MAX_VALUE / EVENT_BYTES) {
      return -Errno.EINVAL.number();
    }
    long deadline = nanos < 0 ? Long.MAX_VALUE : System.nanoTime() + nanos;
    List<EpollFile.Event> events;
    synchronized (task.kernel()) {
      OpenFile file = task.descriptors().file(set);
      if (!(file instanceof EpollFile epoll)) {
        return -(file == null ? Errno.EBADF : Errno.EINVAL).number();
      }
      while ((events = epoll.take(most)).isEmpty()
          && (deadline == Long.MAX_VALUE || deadline - System.nanoTime() > 0)) {
        epoll.watch(OpenFile.POLLIN);
        task.kernel().await(task, deadline);
      }
    }
    ByteBuffer array =
        ByteBuffer.allocate(events.size() * EVENT_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (EpollFile.Event each : events) {
      array.putInt(each.events()).putLong(each.data());
    }
    task.memory().write(to, array.array(), array.capacity());
    return events.size();
  }
}
