package dev.xip.file;

import dev.xip.base.Pages;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.Mapper;
import dev.xip.mapping.Translation;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * A file that can be written, its blocks scattered over a device of memory, and used where they
 * lie. What was never written is a hole. Linux counterpart: mm/filemap_xip.c over fs/ext2/xip.c.
 *
 * <p>Lock order: the file's write mutex, then whatever the memory manager takes to unmap pages, or
 * the lock of the block map. Nobody is told of a change with the block map locked.
 */
public final class MemoryFile implements Mappable {
  private static final long HOLE = -1;

  private final String name;
  private final MemoryBlocks device;
  private final List<Mapper> mappers = new CopyOnWriteArrayList<>();

  /** One writer or truncation at a time. Linux counterpart: {@code i_mutex}. */
  private final ReentrantLock writeMutex = new ReentrantLock();

  /** Guards the block map; held shared while bytes are read or written by calls. */
  private final ReentrantReadWriteLock mapLock = new ReentrantReadWriteLock();

  /** The pfn of each page, or {@link #HOLE}; what lies past the array is a hole. */
  private long[] blocks = new long[0];

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
  public Translation translate(long pageOffset) {
    mapLock.readLock().lock();
    try {
      return place(pageOffset);
    } finally {
      mapLock.readLock().unlock();
    }
  }

  private Translation place(long page) {
    long pfn = block(page);
    if (pfn == HOLE) {
      return Translation.HOLE;
    }
    long pages = 1;
    while (block(page + pages) == pfn + pages) {
      pages++;
    }
    return new Translation(pfn, pages);
  }

  private long block(long page) {
    return page < blocks.length ? blocks[(int) page] : HOLE;
  }

  @Override
  public Translation allocate(long pageOffset) throws IOException {
    mapLock.writeLock().lock();
    try {
      if (block(pageOffset) == HOLE) {
        long pfn = device.take(name, pageOffset);
        int length = blocks.length;
        if (pageOffset >= length) {
          int longer = Math.toIntExact(Math.max(pageOffset + 1, 2L * length));
          blocks = Arrays.copyOf(blocks, longer);
          Arrays.fill(blocks, length, longer, HOLE);
        }
        blocks[(int) pageOffset] = pfn;
      }
      return place(pageOffset);
    } finally {
      mapLock.writeLock().unlock();
    }
  }

  /**
   * Reads bytes; holes read as zeros. Linux counterpart: {@code xip_file_read}.
   *
   * @param position the first byte to read, at least 0
   * @param destination where the bytes go; it is filled unless the file ends first
   * @return how many bytes were copied, 0 at or past the end of the file
   * @throws IllegalArgumentException if the position is negative
   */
  public long read(long position, MemorySegment destination) {
    requirePosition(position);
    mapLock.readLock().lock();
    try {
      long length = Math.min(destination.byteSize(), Math.max(0, size - position));
      for (long done = 0; done < length; ) {
        long inPage = position + done & Pages.OFFSET_MASK;
        long bytes = Math.min(length - done, Pages.SIZE - inPage);
        long pfn = block(position + done >>> Pages.SHIFT);
        if (pfn == HOLE) {
          destination.asSlice(done, bytes).fill((byte) 0);
        } else {
          MemorySegment.copy(device.bytes(pfn), inPage, destination, done, bytes);
        }
        done += bytes;
      }
      return length;
    } finally {
      mapLock.readLock().unlock();
    }
  }

  /**
   * Writes bytes, giving holes blocks and making the file longer as needed. Linux counterpart:
   * {@code xip_file_write}.
   *
   * @param position where the first byte goes, at least 0
   * @param source the bytes
   * @return how many bytes were written: all, or those before the device was full
   * @throws IOException if the device was full before the first byte (ENOSPC)
   * @throws IllegalArgumentException if the position is negative
   */
  public long write(long position, MemorySegment source) throws IOException {
    requirePosition(position);
    writeMutex.lock();
    long done = 0;
    try {
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
    if (translate(page).isHole()) {
      allocate(page);
      for (Mapper mapper : mappers) {
        mapper.holeFilled(page);
      }
    }
    mapLock.readLock().lock();
    try {
      MemorySegment.copy(source, 0, device.bytes(block(page)), inPage, source.byteSize());
    } finally {
      mapLock.readLock().unlock();
    }
  }

  /**
   * Changes the size. What lies past it is taken out of every address space, private copies too,
   * and its blocks are freed; the rest of the last page is zeroed. Linux counterpart: {@code
   * vmtruncate} with {@code xip_truncate_page} and {@code ext2_truncate}.
   *
   * @param newSize the size in bytes, at least 0
   * @throws IllegalArgumentException if it is negative
   */
  public void truncate(long newSize) {
    requirePosition(newSize);
    writeMutex.lock();
    try {
      size = newSize;
      long firstGone = Pages.covering(newSize);
      unmap(firstGone, Long.MAX_VALUE, true);
      zeroTail(newSize);
      long[] gone = detach(firstGone, Long.MAX_VALUE);
      // A fault may have come between the first pass and the blocks' going.
      unmap(firstGone, Long.MAX_VALUE, true);
      free(gone);
    } finally {
      writeMutex.unlock();
    }
  }

  /**
   * Makes pages a hole. They are taken out of every address space, but private copies stay. Linux
   * counterpart: {@code fallocate} with {@code FALLOC_FL_PUNCH_HOLE}, {@code
   * truncate_pagecache_range}.
   *
   * @param firstPage the first page's number, at least 0
   * @param pages how many pages
   */
  public void punchHole(long firstPage, long pages) {
    requirePosition(firstPage);
    writeMutex.lock();
    try {
      long[] gone = detach(firstPage, firstPage + pages);
      unmap(firstPage, pages, false);
      free(gone);
    } finally {
      writeMutex.unlock();
    }
  }

  /**
   * Takes pages out of every address space, for the next access to ask again where they lie;
   * private copies stay. Linux counterpart: {@code invalidate_inode_pages2_range}.
   *
   * @param firstPage the first page's number, at least 0
   * @param pages how many pages
   */
  public void invalidate(long firstPage, long pages) {
    requirePosition(firstPage);
    unmap(firstPage, pages, false);
  }

  /**
   * Counts the blocks that the file has.
   *
   * @return the number of pages that are not holes
   */
  public long blockCount() {
    mapLock.readLock().lock();
    try {
      return Arrays.stream(blocks).filter(pfn -> pfn != HOLE).count();
    } finally {
      mapLock.readLock().unlock();
    }
  }

  private void zeroTail(long newSize) {
    long inPage = newSize & Pages.OFFSET_MASK;
    mapLock.readLock().lock();
    try {
      long pfn = block(newSize >>> Pages.SHIFT);
      if (inPage != 0 && pfn != HOLE) {
        device.bytes(pfn).asSlice(inPage).fill((byte) 0);
      }
    } finally {
      mapLock.readLock().unlock();
    }
  }

  private long[] detach(long first, long end) {
    mapLock.writeLock().lock();
    try {
      int from = (int) Math.min(first, blocks.length);
      int to = (int) Math.min(end, blocks.length);
      long[] gone = Arrays.copyOfRange(blocks, from, to);
      Arrays.fill(blocks, from, to, HOLE);
      return gone;
    } finally {
      mapLock.writeLock().unlock();
    }
  }

  private void free(long[] gone) {
    for (long pfn : gone) {
      if (pfn != HOLE) {
        device.giveBack(pfn);
      }
    }
  }

  private void unmap(long firstPage, long pages, boolean evenCopies) {
    for (Mapper mapper : mappers) {
      mapper.unmap(firstPage, pages, evenCopies);
    }
  }

  private static void requirePosition(long position) {
    if (position < 0) {
      throw new IllegalArgumentException("EINVAL: position %d is negative".formatted(position));
    }
  }
}
