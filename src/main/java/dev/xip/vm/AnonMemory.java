package dev.xip.vm;

/**
 * Says which mappings share a history of private pages, and whether there are any. Mappings cut
 * from one keep its object; mappings may merge only if they have the same one, or if one of the two
 * holds no private page yet. Linux counterpart: {@code struct anon_vma} (include/linux/rmap.h).
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

  /** What a child's mapping begins with. Linux counterpart: anon_vma_fork. */
  AnonMemory forked() {
    AnonMemory child = new AnonMemory();
    child.used = used;
    return child;
  }

  /** Whether mappings with these two may become one. Linux: is_mergeable_anon_vma (mm/mmap.c). */
  static boolean mayMerge(AnonMemory one, AnonMemory other) {
    return one == other || !one.used || !other.used;
  }

  /** What the merged mapping has. */
  static AnonMemory merged(AnonMemory one, AnonMemory other) {
    return one.used ? one : other;
  }
}
