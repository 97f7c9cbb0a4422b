package dev.xip.base;

import java.util.concurrent.locks.StampedLock;

/**
 * A lock for many readers or one writer, with its place in the {@link LockOrder}. Taking it
 * allocates nothing. It is not reentrant, and it may block. Linux counterpart: {@code struct
 * rw_semaphore}.
 */
public final class RankedLock {
  private final LockOrder.Rank rank;
  private final String name;
  private final StampedLock lock = new StampedLock();

  /**
   * Makes a free lock.
   *
   * @param rank its place in the order
   * @param name its name, for reports
   */
  public RankedLock(LockOrder.Rank rank, String name) {
    this.rank = rank;
    this.name = name;
  }

  /**
   * Takes the lock with other readers.
   *
   * @return the stamp for {@link #unlockRead}
   * @throws SleepingInAtomicException if the thread holds a spin lock
   */
  public long readLock() {
    AtomicContext.mightSleep(name);
    LockOrder.take(rank);
    return lock.readLock();
  }

  /**
   * Takes the lock alone.
   *
   * @return the stamp for {@link #unlockWrite}
   * @throws SleepingInAtomicException if the thread holds a spin lock
   */
  public long writeLock() {
    AtomicContext.mightSleep(name);
    LockOrder.take(rank);
    return lock.writeLock();
  }

  /**
   * Releases a reader's lock.
   *
   * @param stamp what {@link #readLock} gave
   */
  public void unlockRead(long stamp) {
    lock.unlockRead(stamp);
    LockOrder.release(rank);
  }

  /**
   * Releases the writer's lock.
   *
   * @param stamp what {@link #writeLock} gave
   */
  public void unlockWrite(long stamp) {
    lock.unlockWrite(stamp);
    LockOrder.release(rank);
  }
}
