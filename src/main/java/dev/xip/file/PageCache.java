package dev.xip.file;

import dev.xip.base.Pages;
import dev.xip.image.FileContent;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.phys.FrameAllocator;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PageFrames;
import dev.xip.phys.PhysicalMemory;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The page cache of a machine: files whose pages lie in frames of RAM, as in a kernel without
 * execute-in-place. When RAM runs out it gives up pages that can be read in again, those read in
 * first before others; a page that an entry maps or get_user_pages holds stays. Linux counterpart:
 * mm/filemap.c, mm/shmem.c and {@code shrink_page_list} (mm/vmscan.c).
 */
public final class PageCache {
  /** How many frames are freed at a time. Linux counterpart: {@code SWAP_CLUSTER_MAX}. */
  private static final int BATCH = 32;

  private final PhysicalMemory memory;
  private final FrameAllocator allocator;
  private final PageFrames frames;

  /** The pages that can be read in again, in the order of their use. Guarded by itself. */
  private final Set<CachePage> clean = new LinkedHashSet<>();

  private final AtomicLong pages = new AtomicLong();
  private final AtomicLong mostPages = new AtomicLong();
  private final AtomicLong pagesAdded = new AtomicLong();

  /**
   * Makes the empty cache of a machine.
   *
   * @param memory the machine's memory, which has no other cache
   */
  public PageCache(PhysicalMemory memory) {
    this.memory = memory;
    this.allocator = memory.allocator();
    this.frames = memory.frames();
    allocator.reclaimBy(this::shrink);
  }

  /**
   * Makes an empty file in RAM, which can be written. Its pages cannot be read in again, so they
   * are never given up. Linux counterpart: a file of tmpfs (mm/shmem.c), without swap.
   *
   * @param name its name, for messages
   * @return the file
   */
  public CachedFile create(String name) {
    return new CachedFile(name, this, null);
  }

  /**
   * Makes a read-only file whose pages are copied from an image when they are first needed, as ext2
   * without the option {@code xip} does. Precondition: the inode has no other cached file, so that
   * a page has one frame.
   *
   * @param name its name for messages, such as its path
   * @param image the image that holds it
   * @param inode a regular file's inode
   * @return the file
   * @throws IOException if its bytes cannot be read, or the image is damaged there
   */
  public CachedFile open(String name, FsImage image, Inode inode) throws IOException {
    return new CachedFile(name, this, FileContent.of(image, inode));
  }

  /** {@return the number of pages in the cache} */
  public long pages() {
    return pages.get();
  }

  /** {@return the most pages that were in the cache at a time} */
  public long mostPages() {
    return mostPages.get();
  }

  /** {@return how many pages were added since the machine booted} */
  public long pagesAdded() {
    return pagesAdded.get();
  }

  /** {@return how many frames RAM has} */
  public long capacity() {
    return memory.ramBytes() >>> Pages.SHIFT;
  }

  /** {@return how many frames of RAM are free} */
  public long available() {
    return allocator.available();
  }

  PhysicalMemory memory() {
    return memory;
  }

  /** Counts a page that was added to a file. */
  void added(CachePage page, boolean canBeReadAgain) {
    pagesAdded.incrementAndGet();
    mostPages.accumulateAndGet(pages.incrementAndGet(), Math::max);
    if (canBeReadAgain) {
      synchronized (clean) {
        clean.add(page);
      }
    }
  }

  /** Gives back the frame of a page that was taken out of its file. */
  void removed(CachePage page) {
    synchronized (clean) {
      clean.remove(page);
    }
    free(page);
  }

  private void free(CachePage page) {
    pages.decrementAndGet();
    allocator.put(page.pfn());
  }

  /**
   * Gives pages up.
   *
   * @param most how many, at least 1
   * @return how many were given up: fewer if all others are in use
   */
  public int giveUp(int most) {
    int freed = 0;
    synchronized (clean) {
      List<CachePage> used = new ArrayList<>();
      for (Iterator<CachePage> oldest = clean.iterator(); freed < most && oldest.hasNext(); ) {
        CachePage page = oldest.next();
        oldest.remove();
        if (giveUp(page)) {
          freed++;
        } else {
          used.add(page);
        }
      }
      // A page that was in use is looked at again after all others.
      clean.addAll(used);
    }
    return freed;
  }

  /** The page lock keeps new entries out; only an entry leads get_user_pages to the frame. */
  private boolean giveUp(CachePage page) {
    if (!page.tryLock()) {
      return false;
    }
    try {
      boolean unused = frames.mappings(page.pfn()) == 0 && frames.references(page.pfn()) == 1;
      if (unused) {
        page.file().forget(page);
        free(page);
      }
      return unused;
    } finally {
      page.unlock();
    }
  }

  private boolean shrink() {
    return giveUp(BATCH) > 0;
  }

  /** Takes a frame for a page; -1 if RAM is used up. */
  long takeFrame(boolean cleared) {
    return cleared
        ? allocator.allocate(FrameUse.PAGE_CACHE)
        : allocator.allocateUncleared(FrameUse.PAGE_CACHE);
  }
}
