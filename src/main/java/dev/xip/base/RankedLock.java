package dev.xip.base;

import java.util.concurrent.locks.StampedLock;

/**
 * A lock for many readers or one writer, with its place in the {@link LockOrder}. Taking it
 * allocates nothing. It is not reentrant, and it may block. Linux counterpart: {@code struct
 * rw_semaphore}.
 */
public final class RankedLock {
  private final LockOrder.Rank rank;
  private final StampedLock lock = new StampedLock();

  /**
   * Makes a free lock.
   *
   * @param rank its place in the order
   */
  public RankedLock(LockOrder.Rank rank) {
    this.rank = rank;
  }

  /**
   * Takes the lock with other readers.
   *
   * @return the stamp for {@link #unlockRead}
   */
  public long readLock() {
    LockOrder.take(rank);
    return lock.readLock();
  }

  /**
   * Takes the lock alone.
   *
   * @return the stamp for {@link #unlockWrite}
   */
  public long writeLock() {
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
