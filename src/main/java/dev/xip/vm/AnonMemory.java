package dev.xip.vm;

/**
 * The shared history of private pages of the mappings that were cut from one. Mappings may merge
 * only if they have the same object, or if one of the two has had no private page yet. Linux
 * counterpart: {@code struct anon_vma} (include/linux/rmap.h).
 *
 * <p>Lock held by the caller: the map lock, shared or exclusive.
 */
final class AnonMemory {
  private volatile boolean used;

  /** Whether a private page was ever put into one of the mappings. */
  boolean isUsed() {
    return used;
  }

  /** Called before the first private page is put in. Linux counterpart: anon_vma_prepare. */
  void prepare() {
    if (!used) {
      used = true;
    }
  }

  /** The object for a child's mapping. Linux counterpart: anon_vma_fork. */
  AnonMemory forked() {
    AnonMemory child = new AnonMemory();
    child.used = used;
    return child;
  }

  /**
   * Whether mappings with these two objects may merge. Linux: is_mergeable_anon_vma (mm/mmap.c).
   */
  static boolean mayMerge(AnonMemory one, AnonMemory other) {
    return one == other || !one.used || !other.used;
  }

  /** The object of the merged mapping. */
  static AnonMemory merged(AnonMemory one, AnonMemory other) {
    return one.used ? one : other;
  }
}
