package dev.xip.file;

import dev.xip.base.AtomicContext;
import dev.xip.base.LockOrder;
import dev.xip.mapping.CachedPages;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A page of a file in a frame of RAM. Linux counterpart: {@code struct page} with {@code mapping},
 * {@code index} and {@code PG_locked}.
 */
final class CachePage implements CachedPages.Page {
  private final CachedFile file;
  private final long number;
  private final long pfn;
  private final ReentrantLock lock = new ReentrantLock();

  /** Whether it was taken out of the cache. Guarded by the lock. */
  private boolean removed;

  CachePage(CachedFile file, long number, long pfn) {
    this.file = file;
    this.number = number;
    this.pfn = pfn;
  }

  CachedFile file() {
    return file;
  }

  /** {@return its number in the file} */
  long number() {
    return number;
  }

  @Override
  public long pfn() {
    return pfn;
  }

  /**
   * Waits for the lock.
   *
   * @return false if the page is no longer in the cache; it is not locked then
   */
  boolean lock() {
    AtomicContext.mightSleep("page lock");
    LockOrder.take(LockOrder.Rank.PAGE);
    lock.lock();
    return stays();
  }

  /** Takes the lock if it is free and the page in the cache; else returns false. */
  boolean tryLock() {
    if (lock.isHeldByCurrentThread() || !lock.tryLock()) {
      return false;
    }
    LockOrder.tried(LockOrder.Rank.PAGE);
    return stays();
  }

  private boolean stays() {
    if (removed) {
      unlock();
    }
    return !removed;
  }

  /** Records that the page was taken out of the cache. Precondition: it is locked. */
  void setRemoved() {
    removed = true;
  }

  @Override
  public void unlock() {
    lock.unlock();
    LockOrder.release(LockOrder.Rank.PAGE);
  }
}
