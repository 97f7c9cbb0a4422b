package dev.xip.vm;

import dev.xip.base.Errno;

/**
 * Advice of a process about its use of memory. Linux counterpart: MADV_* (mm/madvise.c).
 *
 * <p>Lock held by the caller: none needed.
 */
public enum Advice {
  /** Nothing special. */
  NORMAL(0),
  /** Pages will be used in no order. */
  RANDOM(1),
  /** Pages will be used in order. */
  SEQUENTIAL(2),
  /** Pages will be used soon: those of a file that lie in memory get their entries. */
  WILLNEED(3),
  /** Pages are not needed: entries, private copies and anonymous memory are dropped. */
  DONTNEED(4),
  /** Fork leaves the mapping out. */
  DONTFORK(10),
  /** Fork copies the mapping. */
  DOFORK(11),
  /** A core dump leaves the mapping out (since Linux 3.4). */
  DONTDUMP(16),
  /** A core dump contains the mapping. */
  DODUMP(17),
  /** Accesses to the pages are refused from now on, and what they held is dropped. */
  GUARD_INSTALL(102),
  /** Pages that are guarded are as if they had never been touched. */
  GUARD_REMOVE(103);

  private final int number;

  Advice(int number) {
    this.number = number;
  }

  /**
   * Finds an advice by its number.
   *
   * @param number the kernel's number
   * @return the advice
   * @throws MapException EINVAL if there is none with that number
   */
  public static Advice of(int number) throws MapException {
    for (Advice each : values()) {
      if (each.number == number) {
        return each;
      }
    }
    throw new MapException(
        Errno.EINVAL, "madvise", "0 to 4, 10, 11, 16, 17, 102 or 103", String.valueOf(number));
  }

  /** Whether a mapping with these flags refuses it; {@code special} is {@link VmaFlags#special}. */
  boolean isRefusedBy(long flags, long special) {
    return this == DOFORK && (flags & VmaFlags.IO) != 0 || this == DODUMP && (flags & special) != 0;
  }

  /** The flags of a mapping after this advice. */
  long applied(long flags) {
    return switch (this) {
      case NORMAL -> flags & ~(VmaFlags.RAND_READ | VmaFlags.SEQ_READ);
      case RANDOM -> flags & ~VmaFlags.SEQ_READ | VmaFlags.RAND_READ;
      case SEQUENTIAL -> flags & ~VmaFlags.RAND_READ | VmaFlags.SEQ_READ;
      case DONTFORK -> flags | VmaFlags.DONTCOPY;
      case DOFORK -> flags & ~VmaFlags.DONTCOPY;
      case DONTDUMP -> flags | VmaFlags.DONTDUMP;
      case DODUMP -> flags & ~VmaFlags.DONTDUMP;
      case WILLNEED, DONTNEED, GUARD_INSTALL, GUARD_REMOVE -> flags;
    };
  }
}
