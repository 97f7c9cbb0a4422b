package dev.xip.mapping;

/**
 * Reference counting of the pages of a {@link Mappable}, for a machine whose normal-page test asks
 * the mapping itself.
 *
 * <p>This was the first proposal of January 2008, before the special bit. A mapping of pages
 * without page frames supplies callbacks, and all code that handles one of its entries calls them
 * to learn whether the page is counted. It needs no bit and no list of the machine's memory, but
 * every file system must answer correctly: if one says that a page without a frame is counted, the
 * memory manager uses a page frame that does not exist.
 */
public interface RefcountCallbacks {
  /**
   * Tells whether a page of the mapping is reference counted. Also called for private copies, which
   * belong to the memory manager. Precondition: an entry lock is held, so this must not block, and
   * must not throw.
   *
   * @param pfn the page frame number that stands in an entry of the mapping
   * @return false if the page is the mapping's own and has no page frame
   */
  boolean isCounted(long pfn);
}
