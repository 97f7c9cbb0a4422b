package dev.xip.host;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What must not stay behind when the JVM is told to stop: files and folders that are not finished,
 * and what works on them. A thread that makes such a thing does so in a {@link #step}, and so does
 * one that gives it its final name. Once the JVM stops, a step is not taken any more: its thread
 * waits for the end, while all that is on the list is removed, newest first. What a shutdown hook
 * may do as well is done without steps, which it would wait in for ever.
 */
public final class Leftovers {
  private static final Object LOCK = new Object();

  /** Guarded by the lock, as are the next two. */
  private static final List<Leftover> ALL = new ArrayList<>();

  private static boolean stopping;
  private static boolean hooked;

  private Leftovers() {}

  /** Something that can be removed. */
  @FunctionalInterface
  public interface Leftover {
    /**
     * Removes it; called from another thread than the one that made it.
     *
     * @throws IOException if the system refuses, which is the end of trying
     */
    void remove() throws IOException;
  }

  /**
   * What a thread does that the end of the JVM must not come between. It must be short.
   *
   * @param <T> what comes of it
   */
  @FunctionalInterface
  public interface Step<T> {
    /**
     * Does it.
     *
     * @return what came of it
     * @throws IOException passed on
     */
    T take() throws IOException;
  }

  /**
   * Takes a step. If the JVM is stopping, does not return.
   *
   * @param <T> what comes of it
   * @param step the step; in it {@link #add} and {@link #forget} change the list
   * @return what came of it
   * @throws IOException what the step threw
   */
  public static <T> T step(Step<T> step) throws IOException {
    synchronized (LOCK) {
      waitIfStopping();
      return step.take();
    }
  }

  /**
   * Puts something on the list; it stays if the JVM is stopping already, unless this is in a step.
   *
   * @param leftover what it is
   */
  public static void add(Leftover leftover) {
    synchronized (LOCK) {
      hook();
      ALL.add(leftover);
    }
  }

  /**
   * Takes something off the list, because it is finished or gone; returns when it is not being
   * removed.
   *
   * @param leftover what was added
   */
  public static void forget(Leftover leftover) {
    synchronized (LOCK) {
      ALL.remove(leftover);
    }
  }

  /** The mark is set once and never taken back. The hook comes first, for it may be too late. */
  private static void waitIfStopping() {
    hook();
    while (stopping) {
      try {
        LOCK.wait();
      } catch (InterruptedException e) {
        // There is nothing to go back to.
        continue;
      }
    }
  }

  private static void hook() {
    if (!hooked) {
      hooked = true;
      try {
        Runtime.getRuntime().addShutdownHook(new Thread(Leftovers::removeAll, "xip leftovers"));
      } catch (IllegalStateException e) {
        stopping = true;
      }
    }
  }

  private static void removeAll() {
    synchronized (LOCK) {
      stopping = true;
      for (Leftover each : ALL.reversed()) {
        try {
          each.remove();
        } catch (IOException | RuntimeException e) {
          // What cannot be removed stays; the next may still go.
          continue;
        }
      }
    }
  }
}
