package dev.xip.nio;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Counts the uses of something that is ended by its owner, and really ends with its last use. The
 * owner's own use is counted from the start.
 */
final class Uses {
  private final AtomicInteger count = new AtomicInteger(1);
  private final End end;

  /** Ends what was used. */
  interface End {
    void run() throws IOException;
  }

  /** Counts uses until none is left, then runs an action. */
  Uses(End end) {
    this.end = end;
  }

  /**
   * Begins a use.
   *
   * @throws ClosedChannelException if the last one has ended
   */
  void enter() throws ClosedChannelException {
    int now = count.get();
    while (now != 0 && !count.compareAndSet(now, now + 1)) {
      now = count.get();
    }
    if (now == 0) {
      throw new ClosedChannelException();
    }
  }

  /** Ends a use; the last one runs the action. */
  void leave() throws IOException {
    if (count.decrementAndGet() == 0) {
      end.run();
    }
  }
}
