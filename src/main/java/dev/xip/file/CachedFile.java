package dev.xip.file;

import dev.xip.base.ByteSink;
import dev.xip.base.ByteSource;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.image.FileContent;
import dev.xip.mapping.CachedPages;
import dev.xip.mapping.Mapper;
import dev.xip.mapping.NoFrameException;
import dev.xip.mapping.PageRun;
import dev.xip.phys.PhysicalMemory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A file through the page cache: read-only over a file of an image, or writable in RAM alone. Each
 * page that was needed has a frame of RAM, which reads, writes and all mappings share. Linux
 * counterpart: mm/filemap.c and mm/truncate.c, mm/shmem.c for the file in RAM.
 *
 * <p>Lock order: the file's write mutex, then a page lock, then whatever the memory manager takes
 * to unmap pages. No page lock is held while a frame is allocated.
 */
public final class CachedFile implements ChangeableFile, CachedPages {
  /** The position of {@link #write(long, long, ByteSource, long)} for the end of the file. */
  public static final long END = -1;

  private static final MemorySegment ZEROS =
      MemorySegment.ofArray(new byte[(int) Pages.SIZE]).asReadOnly();

  private final String name;
  private final PageCache cache;

  /** Where pages are read in from; null for a file in RAM, whose missing pages are holes. */
  private final FileContent source;

  private final List<Mapper> mappers = new CopyOnWriteArrayList<>();
  private final PageTree tree = new PageTree();

  /** One writer or truncation at a time. Linux counterpart: {@code i_mutex}. */
  private final ReentrantLock writeMutex = new ReentrantLock();

  /** Changed under the write mutex. */
  private volatile long size;

  /** Whether only mappings use it. */
  private volatile boolean discarded;

  CachedFile(String name, PageCache cache, FileContent source) {
    this.name = name;
    this.cache = cache;
    this.source = source;
    this.size = source == null ? 0 : source.size();
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
    return source == null;
  }

  @Override
  public CachedPages cachedPages() {
    return this;
  }

  @Override
  public void attach(Mapper mapper) {
    mappers.add(mapper);
  }

  @Override
  public void detach(Mapper mapper) {
    mappers.remove(mapper);
    evictIfUnused();
  }

  /** {@return the frame of a page that is in the cache, else a hole} Mappings do not ask this. */
  @Override
  public PageRun translate(long pageOffset) {
    long pfn = frame(pageOffset);
    return pfn < 0 ? PageRun.HOLE : new PageRun(pfn, 1);
  }

  @Override
  public Page lock(long page) throws IOException {
    if (page >= covering()) {
      return null;
    }
    CachePage locked = lockOrAdd(page);
    if (page < covering()) {
      return locked;
    }
    // Truncation takes out what it finds, but this page may have been added after it.
    if (!isMapped(locked)) {
      remove(locked);
    }
    locked.unlock();
    return null;
  }

  private boolean isMapped(CachePage page) {
    return cache.memory().frames().mappings(page.pfn()) > 0;
  }

  @Override
  public Page tryLock(long page) {
    CachePage found = tree.get(page);
    if (found == null || !found.tryLock()) {
      return null;
    }
    if (page >= covering()) {
      found.unlock();
      return null;
    }
    return found;
  }

  @Override
  public long frame(long page) {
    CachePage found = tree.get(page);
    return found == null ? -1 : found.pfn();
  }

  @Override
  public void readAhead(long page, long pages) {
    long end = Math.min(pages > Long.MAX_VALUE - page ? Long.MAX_VALUE : page + pages, covering());
    try {
      for (long each = page; source != null && each < end; each++) {
        if (frame(each) < 0) {
          lockOrAdd(each).unlock();
        }
      }
    } catch (IOException e) {
      // The access that needs the page reports it.
      return;
    }
  }

  private long covering() {
    return Pages.covering(size);
  }

  /** Locks a page that is in the cache; null if it is not. */
  private CachePage lockIfThere(long page) {
    CachePage found = tree.get(page);
    while (found != null && !found.lock()) {
      found = tree.get(page);
    }
    return found;
  }

  /** Locks a page, after adding it to the cache if need be, also past the end of the file. */
  private CachePage lockOrAdd(long page) throws IOException {
    CachePage locked = lockIfThere(page);
    while (locked == null) {
      locked = add(page);
      if (locked == null) {
        locked = lockIfThere(page);
      }
    }
    return locked;
  }

  /** Adds a page and returns it locked; null if another thread was first. */
  private CachePage add(long page) throws IOException {
    long pfn = cache.takeFrame(source == null);
    if (pfn < 0) {
      throw new NoFrameException(name, page);
    }
    CachePage added = new CachePage(this, page, pfn);
    added.lock();
    if (!tree.add(added)) {
      added.unlock();
      cache.memory().allocator().put(pfn);
      return null;
    }
    cache.added(added, source != null);
    if (source == null) {
      return added;
    }
    boolean filled = false;
    try {
      MemorySegment bytes = bytes(added);
      long read = source.read(page << Pages.SHIFT, bytes);
      bytes.asSlice(read).fill((byte) 0);
      filled = true;
      return added;
    } finally {
      if (!filled) {
        remove(added);
        added.unlock();
      }
    }
  }

  private MemorySegment bytes(CachePage page) {
    PhysicalMemory memory = cache.memory();
    return memory.ram().asSlice(page.pfn() << Pages.SHIFT, Pages.SIZE);
  }

  /** Takes a page out of the cache and frees its frame. Precondition: it is locked. */
  private void remove(CachePage page) {
    forget(page);
    cache.removed(page);
  }

  /** Takes a page out of the file alone. Precondition: it is locked. */
  void forget(CachePage page) {
    tree.remove(page);
    page.setRemoved();
  }

  /**
   * Reads through the cache; holes get no page. Linux counterpart: {@code do_generic_file_read},
   * {@code shmem_file_read_iter}.
   */
  @Override
  public long read(long position, MemorySegment destination) throws IOException {
    return read(position, destination.byteSize(), SegmentCopy.into(destination), 0);
  }

  /**
   * Copies bytes straight from the frames to a sink. A page that is truncated away meanwhile keeps
   * its frame until it is copied.
   *
   * @param position the first byte to read, at least 0
   * @param length how many are wanted
   * @param sink where they go
   * @param at the address there of the first
   * @return how many were copied: fewer than wanted if the file ends, the sink takes no more, or a
   *     later page cannot be read in
   * @throws IOException if the sink takes none or the first page cannot be read in
   * @throws IllegalArgumentException if the position is negative
   */
  public long read(long position, long length, ByteSink sink, long at) throws IOException {
    MemoryFile.requirePosition(position);
    long count = Math.min(length, Math.max(0, size - position));
    long done = 0;
    try {
      while (done < count) {
        long inPage = position + done & Pages.OFFSET_MASK;
        long some = Math.min(count - done, Pages.SIZE - inPage);
        long taken = readPage(position + done >>> Pages.SHIFT, inPage, some, sink, at + done);
        done += taken;
        if (taken < some) {
          break;
        }
      }
    } catch (IOException e) {
      if (done == 0) {
        throw e;
      }
    }
    return done;
  }

  private long readPage(long number, long inPage, long length, ByteSink sink, long at)
      throws IOException {
    CachePage page = source == null ? lockIfThere(number) : lockOrAdd(number);
    if (page == null) {
      return sink.take(ZEROS, inPage, at, length);
    }
    hold(page);
    try {
      return sink.take(cache.memory().ram(), (page.pfn() << Pages.SHIFT) + inPage, at, length);
    } finally {
      cache.memory().allocator().put(page.pfn());
    }
  }

  /** Takes a reference to the frame of a page, which keeps it, and unlocks the page. */
  private void hold(CachePage page) {
    cache.memory().frames().get(page.pfn());
    page.unlock();
  }

  @Override
  public long write(long position, MemorySegment bytes) throws IOException {
    MemoryFile.requirePosition(position);
    return write(position, bytes.byteSize(), SegmentCopy.from(bytes), 0);
  }

  /**
   * Copies bytes straight from a source to the frames, filling holes and extending the file as
   * needed. Linux counterpart: {@code generic_perform_write}.
   *
   * @param position where the first byte goes, at least 0, or {@link #END}
   * @param length how many
   * @param from where they come from
   * @param at the address there of the first
   * @return how many were written: all, or those before the source or RAM was used up
   * @throws IOException as {@link ChangeableFile#write} does, or if the source gives none
   * @throws IllegalArgumentException if the position is negative and not the end
   */
  public long write(long position, long length, ByteSource from, long at) throws IOException {
    if (position != END) {
      MemoryFile.requirePosition(position);
    }
    requireWritable();
    writeMutex.lock();
    long done = 0;
    try {
      long start = position == END ? size : position;
      MemoryFile.requireFits(name, start, length);
      if (start > size && length > 0) {
        lockOrAdd(start >>> Pages.SHIFT).unlock();
        zeroTail(size);
      }
      while (done < length) {
        long inPage = start + done & Pages.OFFSET_MASK;
        long some = Math.min(length - done, Pages.SIZE - inPage);
        long given = writePage(start + done, some, from, at + done);
        done += given;
        if (given < some) {
          break;
        }
      }
    } catch (IOException e) {
      if (done == 0) {
        throw e;
      }
    } finally {
      if (done < length) {
        removePages(covering(), Long.MAX_VALUE);
        zeroTail(size);
      }
      writeMutex.unlock();
    }
    return done;
  }

  /** Writes into one page. Precondition: the write mutex is held. */
  private long writePage(long position, long length, ByteSource from, long at) throws IOException {
    while (true) {
      CachePage page = lockOrAdd(position >>> Pages.SHIFT);
      hold(page);
      try {
        long place = (page.pfn() << Pages.SHIFT) + (position & Pages.OFFSET_MASK);
        long given = from.give(at, cache.memory().ram(), place, length);
        size = Math.max(size, position + given);
        // A fault behind the old end may have taken the page out.
        if (tree.get(page.number()) == page) {
          return given;
        }
      } finally {
        cache.memory().allocator().put(page.pfn());
      }
    }
  }

  /**
   * Finds data or a hole. Linux counterpart: {@code SEEK_DATA} and {@code SEEK_HOLE} of lseek(2).
   *
   * @param position where to begin, at least 0 and before the end of the file
   * @param data whether data is wanted, else a hole
   * @return the first byte of it: the end of the file is a hole; -1 if there is no data
   */
  public long seek(long position, boolean data) {
    long end = size;
    if (source != null) {
      return data ? position : end;
    }
    long page = position >>> Pages.SHIFT;
    if (data) {
      page = tree.next(page);
      long at = Math.max(position, page << Pages.SHIFT);
      return page < 0 || at >= end ? -1 : at;
    }
    while (tree.get(page) != null) {
      page++;
    }
    return Math.min(Math.max(position, page << Pages.SHIFT), end);
  }

  /**
   * Gives the frames back as soon as no mapping shows the file. Precondition: no call uses it any
   * more.
   */
  public void discard() {
    discarded = true;
    evictIfUnused();
  }

  private void evictIfUnused() {
    if (discarded && mappers.isEmpty()) {
      evict();
    }
  }

  /** Linux counterpart: {@code truncate_setsize}, {@code shmem_setattr}. */
  @Override
  public void truncate(long newSize) throws IOException {
    MemoryFile.requirePosition(newSize);
    requireWritable();
    MemoryFile.requireFits(name, newSize, 0);
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
      removePages(firstRemoved, Long.MAX_VALUE);
      zeroTail(newSize);
      // A store may have made a private copy before its page was removed.
      unmap(firstRemoved, Long.MAX_VALUE, true);
    } finally {
      writeMutex.unlock();
    }
  }

  /** Linux counterpart: {@code shmem_fallocate} with {@code FALLOC_FL_PUNCH_HOLE}. */
  @Override
  public void punchHole(long firstPage, long pages) throws IOException {
    MemoryFile.requireRange(firstPage, pages);
    requireWritable();
    writeMutex.lock();
    try {
      removePages(firstPage, firstPage + Math.min(pages, Long.MAX_VALUE - firstPage));
    } finally {
      writeMutex.unlock();
    }
  }

  /**
   * Pages that can be read in again leave the cache. Linux counterpart: {@code
   * invalidate_inode_pages2_range}, which answers EBUSY for the pages that stay.
   */
  @Override
  public void invalidate(long firstPage, long pages) {
    MemoryFile.requireRange(firstPage, pages);
    if (source == null) {
      unmap(firstPage, pages, false);
    } else {
      removePages(firstPage, firstPage + Math.min(pages, Long.MAX_VALUE - firstPage));
    }
  }

  /**
   * Removes all pages from the cache. Precondition: no mapping shows the file, and it is not used
   * any more. Linux counterpart: {@code truncate_inode_pages_final}.
   */
  public void evict() {
    removePages(0, Long.MAX_VALUE);
  }

  /** {@return the number of its pages in the cache} */
  public long cachedPageCount() {
    return tree.in(0, Long.MAX_VALUE).size();
  }

  /**
   * The page lock keeps faults out: a fault that had the lock before has its entry in place by now,
   * which is unmapped here. Linux counterpart: {@code truncate_inode_page} (mm/truncate.c).
   */
  private void removePages(long first, long end) {
    for (CachePage page : tree.in(first, end)) {
      if (page.lock()) {
        if (isMapped(page)) {
          unmap(page.number(), 1, false);
        }
        remove(page);
        page.unlock();
      }
    }
  }

  /** Zeroes the bytes from an end of the file to the end of its page. */
  private void zeroTail(long end) {
    long inPage = end & Pages.OFFSET_MASK;
    CachePage page = inPage == 0 ? null : lockIfThere(end >>> Pages.SHIFT);
    if (page != null) {
      bytes(page).asSlice(inPage).fill((byte) 0);
      page.unlock();
    }
  }

  private void unmap(long firstPage, long pages, boolean evenCopies) {
    for (Mapper mapper : mappers) {
      mapper.unmap(firstPage, pages, evenCopies);
    }
  }

  private void requireWritable() throws IOException {
    if (source != null) {
      throw new IOException(
          Errno.EROFS.message("%s: expected a file in RAM, found one of an image", name));
    }
  }
}
