package dev.xip.vm;

import dev.xip.base.Pages;
import dev.xip.mapping.CachedPages;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.Mapper;
import dev.xip.mapping.NoFrameException;
import dev.xip.mapping.PageRun;
import dev.xip.phys.FrameAllocator;
import dev.xip.phys.FrameUse;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Anonymous memory that processes share: a nameless file whose pages are allocated at the first
 * touch, counted like those of any page cache, and freed with the last mapping. It is never
 * truncated, so its pages need no lock. Linux counterpart: {@code shmem_zero_setup} and {@code
 * shmem_fault} (mm/shmem.c).
 *
 * <p>Lock held by the caller: any but a spin lock; for {@link #tryLock} and {@link #frame} any.
 */
final class SharedMemory implements Mappable, CachedPages {
  private final FrameAllocator allocator;
  private final long size;

  /** By number; each page's frame has one reference from here. */
  private final ConcurrentMap<Long, Held> pages = new ConcurrentHashMap<>();

  private record Held(long pfn) implements Page {
    @Override
    public void unlock() {
      // The page stays until the last mapping is gone.
    }
  }

  SharedMemory(MemoryManager manager, long size) {
    this.allocator = manager.memory().allocator();
    this.size = size;
  }

  @Override
  public String name() {
    return "/dev/zero (deleted)";
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public boolean isWritable() {
    return true;
  }

  @Override
  public CachedPages cachedPages() {
    return this;
  }

  @Override
  public PageRun translate(long pageOffset) {
    long pfn = frame(pageOffset);
    return pfn < 0 ? PageRun.HOLE : new PageRun(pfn, 1);
  }

  @Override
  public Page lock(long page) throws NoFrameException {
    if (page >= Pages.covering(size)) {
      return null;
    }
    Held found = pages.get(page);
    if (found != null) {
      return found;
    }
    long pfn = allocator.allocate(FrameUse.PAGE_CACHE);
    if (pfn < 0) {
      throw new NoFrameException(name(), page);
    }
    Held added = new Held(pfn);
    Held first = pages.putIfAbsent(page, added);
    if (first == null) {
      return added;
    }
    allocator.put(pfn);
    return first;
  }

  @Override
  public Page tryLock(long page) {
    return pages.get(page);
  }

  @Override
  public long frame(long page) {
    Held found = pages.get(page);
    return found == null ? -1 : found.pfn();
  }

  /** Does nothing: a page that was never touched is nowhere to be read from. */
  @Override
  public void readAhead(long page, long count) {}

  @Override
  public void detach(Mapper mapper) {
    pages.values().forEach(held -> allocator.put(held.pfn()));
    pages.clear();
  }
}
