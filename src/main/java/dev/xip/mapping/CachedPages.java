package dev.xip.mapping;

import java.io.IOException;

/**
 * The page cache of a file: its pages in frames of RAM, which entries count. Linux counterpart: the
 * {@code page_tree} of {@code struct address_space} (include/linux/fs.h) with {@code filemap_fault}
 * and {@code shmem_fault}.
 */
public interface CachedPages {
  /**
   * A page in the cache, locked by the caller: it stays in the cache, and part of the file, until
   * it is unlocked. Linux counterpart: {@code PG_locked}.
   */
  interface Page {
    /** {@return the page frame number; the cache has a reference to the frame} */
    long pfn();

    /** Unlocks the page. */
    void unlock();
  }

  /**
   * Finds a page, after reading it in if it is not in the cache, and locks it. Concurrent callers
   * for one page get the same frame. It may sleep. Linux counterpart: {@code filemap_fault}.
   *
   * @param page the page's number in the file
   * @return the page, or null past the end of the file
   * @throws NoFrameException if RAM is used up
   * @throws IOException if the page cannot be read
   */
  Page lock(long page) throws IOException;

  /**
   * Locks a page without waiting or allocating. The caller may hold an entry lock. Linux
   * counterpart: {@code trylock_page} in {@code filemap_map_pages} (mm/filemap.c).
   *
   * @param page the page's number in the file
   * @return the page, or null if it is not in the cache, past the end or locked
   */
  Page tryLock(long page);

  /**
   * Finds a frame without locking the page. Linux counterpart: {@code find_get_page}, without the
   * reference.
   *
   * @param page the page's number in the file
   * @return the page frame number, or -1 if the page is not in the cache
   */
  long frame(long page);

  /**
   * Reads in the pages of a range that are part of the file, up to the first that cannot be read.
   * Linux counterpart: {@code force_page_cache_readahead}.
   *
   * @param page the first page's number in the file
   * @param pages how many pages
   */
  void readAhead(long page, long pages);
}
