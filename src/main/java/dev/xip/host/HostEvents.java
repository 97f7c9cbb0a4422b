package dev.xip.host;

import dev.xip.bindings.Libc;
import dev.xip.bindings.pollfd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Waits for streams of the host to become ready, and for signals. One thread waits; the others may
 * be called from any thread.
 */
public final class HostEvents implements AutoCloseable {
  private static final long ONE = 1;

  private final HostSignals signals;

  /** An eventfd that ends the wait. */
  private final int wake;

  /** The events waited for, by descriptor. Guarded by this object's monitor. */
  private final Map<Integer, Integer> watched = new TreeMap<>();

  private boolean ended;

  /**
   * Makes one.
   *
   * @param signals the signals to wait for, or null
   * @throws HostException if there are too many descriptors
   */
  public HostEvents(HostSignals signals) throws HostException {
    this.signals = signals;
    this.wake = StreamCalls.event();
    if (wake < 0) {
      throw new HostException("eventfd", "a thread that waits for streams", -wake);
    }
  }

  /**
   * Waits for a stream until it is ready once.
   *
   * @param stream the stream
   * @param events POLLIN, POLLOUT
   */
  public synchronized void watch(HostStream stream, int events) {
    int before = watched.getOrDefault(stream.fd(), 0);
    if ((before | events) != before) {
      watched.put(stream.fd(), before | events);
      wake();
    }
  }

  /** Makes {@link #await} return null. */
  public synchronized void end() {
    ended = true;
    wake();
  }

  private void wake() {
    try (Arena arena = Arena.ofConfined()) {
      StreamCalls.write(wake, arena.allocateFrom(ValueLayout.JAVA_LONG, ONE).address(), Long.BYTES);
    }
  }

  /**
   * Waits until a stream is ready, or signals have come.
   *
   * @return the signals, in their order; null after {@link #end}
   */
  public List<HostSignals.Note> await() {
    while (true) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment array;
        synchronized (this) {
          if (ended) {
            return null;
          }
          array = array(arena);
        }
        int ready = StreamCalls.await(array.address(), (int) (array.byteSize() / pollfd.sizeof()));
        List<HostSignals.Note> notes = notes();
        if (!notes.isEmpty() || ready > 0 && forget(array)) {
          return notes;
        }
      }
    }
  }

  /** Precondition: the monitor is held. */
  private MemorySegment array(Arena arena) {
    int count = watched.size() + (signals == null ? 1 : 2);
    MemorySegment array = pollfd.allocateArray(count, arena);
    put(array, 0, wake, Libc.POLLIN());
    int i = 1;
    if (signals != null) {
      put(array, i++, signals.fd(), Libc.POLLIN());
    }
    for (Map.Entry<Integer, Integer> each : watched.entrySet()) {
      put(array, i++, each.getKey(), each.getValue());
    }
    return array;
  }

  private static void put(MemorySegment array, int index, int fd, int events) {
    MemorySegment one = pollfd.asSlice(array, index);
    pollfd.fd(one, fd);
    pollfd.events(one, (short) events);
  }

  private List<HostSignals.Note> notes() {
    List<HostSignals.Note> notes = new ArrayList<>();
    HostSignals.Note next;
    while (signals != null && (next = signals.next()) != null) {
      notes.add(next);
    }
    return notes;
  }

  /** Watches streams that are ready no longer; tells whether there were any. */
  private synchronized boolean forget(MemorySegment array) {
    boolean any = false;
    for (long i = 0; i < array.byteSize() / pollfd.sizeof(); i++) {
      MemorySegment one = pollfd.asSlice(array, i);
      if (pollfd.revents(one) != 0) {
        any |= watched.remove(pollfd.fd(one)) != null;
      }
    }
    try (Arena arena = Arena.ofConfined()) {
      StreamCalls.read(wake, arena.allocate(Long.BYTES).address(), Long.BYTES);
    }
    return any;
  }

  /** Precondition: no thread waits. */
  @Override
  public void close() {
    StreamCalls.close(wake);
  }
}
