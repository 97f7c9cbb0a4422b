package dev.xip.file;

import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.mapping.Mapper;
import dev.xip.mapping.PageRun;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * A writable file whose blocks lie anywhere on a device of memory and are used in place. Pages that
 * were never written are holes. A mapping shows the whole last page; what is stored there behind
 * the end of the file is zeroed when the file grows. Linux counterpart: mm/filemap_xip.c over
 * fs/ext2/xip.c.
 *
 * <p>Lock order: the file's write mutex, then whatever the memory manager takes to unmap pages, or
 * the lock of the block map. No mapper is called with the block map locked.
 */
public final class MemoryFile implements ChangeableFile {
  private final String name;
  private final MemoryBlocks device;
  private final List<Mapper> mappers = new CopyOnWriteArrayList<>();

  /** One writer or truncation at a time. Linux counterpart: {@code i_mutex}. */
  private final ReentrantLock writeMutex = new ReentrantLock();

  /** Guards the block map; held shared while bytes are read or written by calls. */
  private final ReentrantReadWriteLock mapLock = new ReentrantReadWriteLock();

  /** A page behind the end has a block only while a write adds it. */
  private final BlockRuns blocks = new BlockRuns();

  /** Changed under the write mutex. */
  private volatile long size;

  MemoryFile(String name, MemoryBlocks device) {
    this.name = name;
    this.device = device;
  }

  @Override
  public String name() {
    return name;
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
  public void attach(Mapper mapper) {
    mappers.add(mapper);
  }

  @Override
  public void detach(Mapper mapper) {
    mappers.remove(mapper);
  }

  @Override
  public PageRun translate(long pageOffset) {
    requirePosition(pageOffset);
    mapLock.readLock().lock();
    try {
      return place(pageOffset);
    } finally {
      mapLock.readLock().unlock();
    }
  }

  private PageRun place(long page) {
    return blocks.at(page, Pages.covering(MAX_SIZE));
  }

  /**
   * Finds where a page lies, after giving it a zeroed block if it is a hole.
   *
   * @param pageOffset the page's number in the file
   * @return the run that starts with it, never a hole
   * @throws IOException if there is no free block (ENOSPC), or the page lies behind the end, such
   *     as after a truncation that the caller has not seen
   */
  @Override
  public PageRun allocate(long pageOffset) throws IOException {
    requirePosition(pageOffset);
    mapLock.writeLock().lock();
    try {
      long pages = Pages.covering(size);
      if (pageOffset >= pages) {
        throw new IOException(
            "page 0x%x of %s: expected one of its 0x%x pages".formatted(pageOffset, name, pages));
      }
      return placed(pageOffset);
    } finally {
      mapLock.writeLock().unlock();
    }
  }

  /** As {@link #allocate}, for any page. Precondition: the map lock is held exclusively. */
  private PageRun placed(long page) throws IOException {
    if (place(page).isHole()) {
      blocks.add(page, device.allocate(name, page));
    }
    return place(page);
  }

  /** Linux counterpart: {@code xip_file_read}. */
  @Override
  public long read(long position, MemorySegment destination) {
    requirePosition(position);
    mapLock.readLock().lock();
    try {
      long length = Math.min(destination.byteSize(), Math.max(0, size - position));
      for (long done = 0; done < length; ) {
        long inPage = position + done & Pages.OFFSET_MASK;
        PageRun place = place(position + done >>> Pages.SHIFT);
        long bytes = Math.min(length - done, (place.pages() << Pages.SHIFT) - inPage);
        if (place.isHole()) {
          destination.asSlice(done, bytes).fill((byte) 0);
        } else {
          MemorySegment.copy(device.bytes(place), inPage, destination, done, bytes);
        }
        done += bytes;
      }
      return length;
    } finally {
      mapLock.readLock().unlock();
    }
  }

  /** Linux counterpart: {@code xip_file_write}. */
  @Override
  public long write(long position, MemorySegment source) throws IOException {
    requirePosition(position);
    requireFits(name, position, source.byteSize());
    writeMutex.lock();
    long done = 0;
    try {
      if (position > size && source.byteSize() > 0) {
        giveBlock(position >>> Pages.SHIFT);
        zeroTail(size);
      }
      while (done < source.byteSize()) {
        long inPage = position + done & Pages.OFFSET_MASK;
        long bytes = Math.min(source.byteSize() - done, Pages.SIZE - inPage);
        writePage(position + done >>> Pages.SHIFT, inPage, source.asSlice(done, bytes));
        done += bytes;
      }
    } catch (IOException e) {
      if (done == 0) {
        throw e;
      }
    } finally {
      size = done == 0 ? size : Math.max(size, position + done);
      writeMutex.unlock();
    }
    return done;
  }

  private void writePage(long page, long inPage, MemorySegment source) throws IOException {
    giveBlock(page);
    mapLock.readLock().lock();
    try {
      MemorySegment.copy(source, 0, device.bytes(place(page)), inPage, source.byteSize());
    } finally {
      mapLock.readLock().unlock();
    }
  }

  private void giveBlock(long page) throws IOException {
    if (!translate(page).isHole()) {
      return;
    }
    mapLock.writeLock().lock();
    try {
      placed(page);
    } finally {
      mapLock.writeLock().unlock();
    }
    for (Mapper mapper : mappers) {
      mapper.holeFilled(page);
    }
  }

  /**
   * Frees a block that has a page frame only after its last pin. Linux counterpart: {@code
   * vmtruncate} with {@code xip_truncate_page} and {@code ext2_truncate}.
   */
  @Override
  public void truncate(long newSize) throws IOException {
    requirePosition(newSize);
    requireFits(name, newSize, 0);
    writeMutex.lock();
    try {
      if (newSize > size) {
        zeroTail(size);
        size = newSize;
        return;
      }
      size = newSize;
      long firstRemoved = Pages.covering(newSize);
      unmap(firstRemoved, Long.MAX_VALUE, true);
      zeroTail(newSize);
      List<BlockRuns.Run> removed = detach(firstRemoved, Long.MAX_VALUE);
      // A fault may have mapped a page again before its block was removed.
      unmap(firstRemoved, Long.MAX_VALUE, true);
      free(removed);
    } finally {
      writeMutex.unlock();
    }
  }

  /**
   * Linux counterpart: {@code fallocate} with {@code FALLOC_FL_PUNCH_HOLE}, {@code
   * truncate_pagecache_range}.
   */
  @Override
  public void punchHole(long firstPage, long pages) {
    requireRange(firstPage, pages);
    writeMutex.lock();
    try {
      List<BlockRuns.Run> removed =
          detach(firstPage, firstPage + Math.min(pages, Long.MAX_VALUE - firstPage));
      unmap(firstPage, pages, false);
      free(removed);
    } finally {
      writeMutex.unlock();
    }
  }

  /** Linux counterpart: {@code invalidate_inode_pages2_range}. */
  @Override
  public void invalidate(long firstPage, long pages) {
    requireRange(firstPage, pages);
    unmap(firstPage, pages, false);
  }

  /**
   * {@return the first page that is pinned, for which a truncation would wait, or -1} Linux
   * counterpart: {@code dax_layout_busy_page} (fs/dax.c), which unmaps the pages first.
   */
  public long pinnedPage() {
    mapLock.readLock().lock();
    try {
      for (long page = 0; page < Pages.covering(size); page++) {
        PageRun place = place(page);
        if (!place.isHole() && device.isPinned(place.pfn())) {
          return page;
        }
      }
      return -1;
    } finally {
      mapLock.readLock().unlock();
    }
  }

  /** {@return the number of pages that are not holes} */
  public long blockCount() {
    mapLock.readLock().lock();
    try {
      return blocks.pages();
    } finally {
      mapLock.readLock().unlock();
    }
  }

  /** Zeroes the bytes from an end of the file to the end of its page. */
  private void zeroTail(long end) {
    mapLock.readLock().lock();
    try {
      long inPage = end & Pages.OFFSET_MASK;
      PageRun place = place(end >>> Pages.SHIFT);
      if (inPage != 0 && !place.isHole()) {
        device.bytes(place).asSlice(inPage, Pages.SIZE - inPage).fill((byte) 0);
      }
    } finally {
      mapLock.readLock().unlock();
    }
  }

  private List<BlockRuns.Run> detach(long first, long end) {
    mapLock.writeLock().lock();
    try {
      return blocks.remove(first, end);
    } finally {
      mapLock.writeLock().unlock();
    }
  }

  private void free(List<BlockRuns.Run> removed) {
    for (BlockRuns.Run run : removed) {
      device.awaitUnpinned(run.pfn(), run.pages());
      device.giveBack(run.pfn(), run.pages());
    }
  }

  private void unmap(long firstPage, long pages, boolean evenCopies) {
    for (Mapper mapper : mappers) {
      mapper.unmap(firstPage, pages, evenCopies);
    }
  }

  static void requirePosition(long position) {
    if (position < 0) {
      throw new IllegalArgumentException(Errno.EINVAL.message("position %d is negative", position));
    }
  }

  static void requireRange(long firstPage, long pages) {
    if (firstPage < 0 || pages < 1) {
      throw new IllegalArgumentException(
          Errno.EINVAL.message(
              "expected at least 1 page from 0 on, found %d from %d", pages, firstPage));
    }
  }

  static void requireFits(String name, long position, long bytes) throws IOException {
    if (position > MAX_SIZE - bytes) {
      throw new IOException(
          Errno.EFBIG.message(
              "%s: expected an end at byte 0x%x or before, found 0x%x bytes from byte 0x%x on",
              name, MAX_SIZE, bytes, position));
    }
  }
}
