package dev.xip.host;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The list of unfinished files and folders, and of child processes that work on them, to be removed
 * when the JVM is told to stop. A thread that creates such a thing, or gives it its final name,
 * does so in a {@link #step}. While the JVM stops no step begins: its thread waits for the end, and
 * everything on the list is removed, newest first. Code that a shutdown hook may run must not use
 * steps: it would wait for ever.
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
     * Removes it; called by another thread than the one that made it.
     *
     * @throws IOException if the system refuses; it is not tried again
     */
    void remove() throws IOException;
  }

  /**
   * An action that the end of the JVM must not interrupt. It must be short.
   *
   * @param <T> the result
   */
  @FunctionalInterface
  public interface Step<T> {
    /**
     * Performs the action.
     *
     * @return the result
     * @throws IOException passed on
     */
    T take() throws IOException;
  }

  /**
   * Performs a step. Does not return if the JVM is stopping.
   *
   * @param <T> the result
   * @param step the step; in it {@link #add} and {@link #forget} change the list
   * @return the result
   * @throws IOException thrown by the step
   */
  public static <T> T step(Step<T> step) throws IOException {
    synchronized (LOCK) {
      waitIfStopping();
      return step.take();
    }
  }

  /**
   * Adds something to the list. Outside a step, it is not removed if the JVM is stopping already.
   *
   * @param leftover what to remove
   */
  public static void add(Leftover leftover) {
    synchronized (LOCK) {
      hook();
      ALL.add(leftover);
    }
  }

  /**
   * Takes something off the list, because it is finished or removed. Waits while the list is being
   * removed.
   *
   * @param leftover what was added
   */
  public static void forget(Leftover leftover) {
    synchronized (LOCK) {
      ALL.remove(leftover);
    }
  }

  /**
   * {@code stopping} is never reset. The hook is registered first: if that fails, the JVM is
   * stopping.
   */
  private static void waitIfStopping() {
    hook();
    while (stopping) {
      try {
        LOCK.wait();
      } catch (InterruptedException e) {
        // The JVM is stopping: wait on.
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
          // Stays; the next one may still be removed.
          continue;
        }
      }
    }
  }
}
