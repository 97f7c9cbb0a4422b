package dev.xip.file;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The pages of one file that are in the cache, by number. A look-up takes no lock and allocates
 * nothing; changes take the monitor. Linux counterpart: {@code address_space.page_tree} and its
 * lock (include/linux/fs.h).
 */
final class PageTree {
  private static final int SHIFT = 9;
  private static final int CHUNK = 1 << SHIFT;

  private static final VarHandle CHUNKS = MethodHandles.arrayElementVarHandle(CachePage[][].class);
  private static final VarHandle PAGES = MethodHandles.arrayElementVarHandle(CachePage[].class);

  /** Chunks of pages; replaced by a longer array under the monitor. */
  private volatile CachePage[][] chunks = {};

  /** Returns a page, or null if it is not in the cache. */
  CachePage get(long page) {
    CachePage[] chunk = chunk(page >>> SHIFT);
    return chunk == null ? null : (CachePage) PAGES.getAcquire(chunk, (int) page & CHUNK - 1);
  }

  private CachePage[] chunk(long number) {
    CachePage[][] all = chunks;
    return number < all.length ? (CachePage[]) CHUNKS.getAcquire(all, (int) number) : null;
  }

  /** Adds a page, unless there is one of its number already; returns whether it was added. */
  synchronized boolean add(CachePage page) {
    int number = Math.toIntExact(page.number() >>> SHIFT);
    if (number >= chunks.length) {
      chunks = Arrays.copyOf(chunks, Math.max(number + 1, 2 * chunks.length));
    }
    CachePage[] chunk = chunk(number);
    if (chunk == null) {
      chunk = new CachePage[CHUNK];
      CHUNKS.setRelease(chunks, number, chunk);
    }
    int index = (int) page.number() & CHUNK - 1;
    boolean free = chunk[index] == null;
    if (free) {
      PAGES.setRelease(chunk, index, page);
    }
    return free;
  }

  /** Takes a page out. Precondition: it is in. */
  synchronized void remove(CachePage page) {
    PAGES.setRelease(chunk(page.number() >>> SHIFT), (int) page.number() & CHUNK - 1, null);
  }

  /** The number of the first page from one on; -1 if there is none. */
  long next(long first) {
    long stop = (long) chunks.length << SHIFT;
    for (long page = first; page < stop; page++) {
      if (chunk(page >>> SHIFT) == null) {
        page |= CHUNK - 1;
      } else if (get(page) != null) {
        return page;
      }
    }
    return -1;
  }

  /** Lists the pages in [first, end). */
  synchronized List<CachePage> in(long first, long end) {
    List<CachePage> found = new ArrayList<>();
    long stop = Math.min(end, (long) chunks.length << SHIFT);
    for (long page = first; page < stop; page++) {
      CachePage[] chunk = chunks[(int) (page >>> SHIFT)];
      if (chunk == null) {
        page |= CHUNK - 1;
      } else if (chunk[(int) page & CHUNK - 1] != null) {
        found.add(chunk[(int) page & CHUNK - 1]);
      }
    }
    return found;
  }
}
