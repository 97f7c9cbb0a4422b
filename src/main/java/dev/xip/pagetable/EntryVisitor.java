package dev.xip.pagetable;

/** Sees the leaves of a range of addresses in order. */
@FunctionalInterface
public interface EntryVisitor {
  /**
   * Sees one entry that is not empty.
   *
   * @param va the first address that it covers
   * @param level its level
   * @param slot where it lies in the window, in bytes
   * @param pte the entry as it was when the walk came by
   */
  void entry(long va, Level level, long slot, long pte);
}
