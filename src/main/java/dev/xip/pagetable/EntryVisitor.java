package dev.xip.pagetable;

/** Receives the leaves of a range of addresses in order. */
@FunctionalInterface
public interface EntryVisitor {
  /**
   * Receives one entry that is not empty.
   *
   * @param va the first address that it covers
   * @param level its level
   * @param slot where it lies in the window, in bytes
   * @param pte the entry as the walk read it
   */
  void entry(long va, Level level, long slot, long pte);
}
