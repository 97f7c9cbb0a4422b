package dev.xip.mapping;

/**
 * What a {@link Mappable} supplies on a machine whose judge asks the mapping itself: the reference
 * counting of its own pages.
 *
 * <p>This was the first proposal of January 2008, before the special bit. A mapping that holds
 * pages without page frames brings callbacks of its own, and whatever touches one of its entries
 * calls through the mapping's operations to learn whether the page behind it is counted. It needs
 * no bit and no list that covers the machine, but every file system has to get it right: one that
 * calls a page without a frame counted has the memory manager reach for a page frame that does not
 * exist.
 */
public interface RefcountCallbacks {
  /**
   * Tells whether a page of the mapping is reference counted. Called with an entry lock held: it
   * may not block, and it does not fail. Private copies, which are the memory manager's, are asked
   * about as well.
   *
   * @param pfn the page frame number that stands in an entry of the mapping
   * @return false if the page is the mapping's own and has no page frame
   */
  boolean isCounted(long pfn);
}
