package dev.xip.vm;

import dev.xip.base.Errno;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.Mapper;
import dev.xip.mapping.PageRun;
import dev.xip.phys.FrameUse;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/**
 * Anonymous memory that processes share: a nameless file whose pages are allocated at the first
 * touch and freed with the last mapping. Linux counterpart: {@code shmem_zero_setup} (mm/shmem.c),
 * whose entries are normal and counted as shared; here they are special as for any file.
 *
 * <p>Lock held by the caller: any but a spin lock.
 */
final class SharedMemory implements Mappable {
  private final MemoryManager manager;
  private final long size;

  /** Frames by page; each holds one reference. Guarded by itself. */
  private final Map<Long, Long> pages = new HashMap<>();

  SharedMemory(MemoryManager manager, long size) {
    this.manager = manager;
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
  public PageRun translate(long pageOffset) {
    synchronized (pages) {
      Long pfn = pages.get(pageOffset);
      return pfn == null ? PageRun.HOLE : new PageRun(pfn, 1);
    }
  }

  @Override
  public PageRun allocate(long pageOffset) throws IOException {
    synchronized (pages) {
      Long pfn = pages.get(pageOffset);
      if (pfn == null) {
        pfn = manager.memory().allocator().allocate(FrameUse.PAGE_CACHE);
        if (pfn < 0) {
          throw new IOException(
              Errno.ENOSPC.message(
                  "%s, page 0x%x: expected a free frame of RAM, found none", name(), pageOffset));
        }
        pages.put(pageOffset, pfn);
      }
      return new PageRun(pfn, 1);
    }
  }

  @Override
  public void detach(Mapper mapper) {
    synchronized (pages) {
      pages.values().forEach(manager.memory().allocator()::put);
      pages.clear();
    }
  }
}
