package dev.xip.host;

import dev.xip.bindings.Guest;

/** The processor time that threads of this process have used, in nanoseconds. */
public final class ThreadTimes {
  private ThreadTimes() {}

  /** {@return the number that the system gives the calling thread, gettid(2)} */
  public static int ownThread() {
    return Guest.xip_kick_thread();
  }

  /**
   * {@return the time that a thread has used, in user and in system mode; 0 if it has ended}
   *
   * @param thread its number
   */
  public static long of(int thread) {
    return Math.max(Guest.xip_thread_time(thread), 0);
  }

  /** {@return the time that the calling thread has used in system mode} */
  public static long ownSystem() {
    return Math.max(Guest.xip_own_system_time(), 0);
  }
}
