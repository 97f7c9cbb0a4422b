package dev.xip.vm;

import dev.xip.base.Access;
import java.util.StringJoiner;

/**
 * The flags of a mapping, with the kernel's values (include/linux/mm.h, 3.19; RESERVED and
 * INSERTPAGE are of 2.6.26).
 *
 * <p>Lock held by the caller: none needed.
 */
public final class VmaFlags {
  /** Reads are allowed. */
  public static final long READ = 0x1;

  /** Writes are allowed. */
  public static final long WRITE = 0x2;

  /** Instruction fetches are allowed. */
  public static final long EXEC = 0x4;

  /** Stores are visible in all mappings of the file. */
  public static final long SHARED = 0x8;

  /** READ may be granted later. */
  public static final long MAYREAD = 0x10;

  /** WRITE may be granted later. */
  public static final long MAYWRITE = 0x20;

  /** EXEC may be granted later. */
  public static final long MAYEXEC = 0x40;

  /** SHARED was asked for, even if the file cannot be written. */
  public static final long MAYSHARE = 0x80;

  /** A stack: a fault below it may make it longer. */
  public static final long GROWSDOWN = 0x100;

  /** Page frame numbers without page frames, linear from the page offset. */
  public static final long PFNMAP = 0x400;

  /** 6.19: may hold guard regions, which fork has to copy. */
  public static final long MAYBE_GUARD = 0x800;

  /** Pages stay in memory. */
  public static final long LOCKED = 0x2000;

  /** Memory of a device: an access may have side effects. */
  public static final long IO = 0x4000;

  /** Advice: pages are read in order. */
  public static final long SEQ_READ = 0x8000;

  /** Advice: pages are read in no order. */
  public static final long RAND_READ = 0x1_0000;

  /** A fork leaves the mapping out. */
  public static final long DONTCOPY = 0x2_0000;

  /** mremap may not make it longer. */
  public static final long DONTEXPAND = 0x4_0000;

  /** 2.6.26: do not swap out; removed before 3.19. */
  public static final long RESERVED = 0x8_0000;

  /** Its pages count against the commit limit. */
  public static final long ACCOUNT = 0x10_0000;

  /** Its pages do not count against the commit limit, whatever the machine's policy says. */
  public static final long NORESERVE = 0x20_0000;

  /** Huge pages of a huge-page file system. */
  public static final long HUGETLB = 0x40_0000;

  /** Pages of the file lie out of order. */
  public static final long NONLINEAR = 0x80_0000;

  /** 2.6.26: holds entries of insertFrame; removed before 3.19. */
  public static final long INSERTPAGE = 0x200_0000;

  /** A core dump leaves the mapping out. */
  public static final long DONTDUMP = 0x400_0000;

  /** Holds entries with and without page frames. */
  public static final long MIXEDMAP = 0x1000_0000;

  /**
   * The flags in which mappings that merge may differ; the merged one has those of both. Linux
   * counterpart: {@code VM_STICKY} (6.19).
   */
  static final long STICKY = MAYBE_GUARD;

  /** The access rights. */
  static final long ACCESS = READ | WRITE | EXEC;

  /** The flags that /proc/PID/smaps names, lowest bit first, with its two letters. */
  private static final Object[] LETTERS = {
    READ,
    "rd",
    WRITE,
    "wr",
    EXEC,
    "ex",
    SHARED,
    "sh",
    MAYREAD,
    "mr",
    MAYWRITE,
    "mw",
    MAYEXEC,
    "me",
    MAYSHARE,
    "ms",
    GROWSDOWN,
    "gd",
    PFNMAP,
    "pf",
    MAYBE_GUARD,
    "gu",
    LOCKED,
    "lo",
    IO,
    "io",
    SEQ_READ,
    "sr",
    RAND_READ,
    "rr",
    DONTCOPY,
    "dc",
    DONTEXPAND,
    "de",
    ACCOUNT,
    "ac",
    NORESERVE,
    "nr",
    HUGETLB,
    "ht",
    NONLINEAR,
    "nl",
    DONTDUMP,
    "dd",
    MIXEDMAP,
    "mm"
  };

  private VmaFlags() {}

  /**
   * Returns the flags of mappings that never merge and are never locked in memory. Linux
   * counterpart: {@code VM_SPECIAL}.
   *
   * @param rules the machine's rules: MIXEDMAP is among the flags since 3.14
   * @return the flags
   */
  public static long special(Rules rules) {
    return IO
        | DONTEXPAND
        | RESERVED
        | PFNMAP
        | (rules.has(Rule.MIXED_MAPS_ARE_SPECIAL) ? MIXEDMAP : 0);
  }

  /**
   * Turns access rights into flags.
   *
   * @param access the rights
   * @return READ, WRITE and EXEC as they apply
   */
  public static long of(Access access) {
    return (access.read() ? READ : 0)
        | (access.write() ? WRITE : 0)
        | (access.execute() ? EXEC : 0);
  }

  /**
   * Turns flags into access rights.
   *
   * @param flags the flags of a mapping
   * @return the rights that it grants
   */
  public static Access access(long flags) {
    return new Access((flags & READ) != 0, (flags & WRITE) != 0, (flags & EXEC) != 0);
  }

  /**
   * Tells whether a mapping is private and could become writable; whether it is writable now does
   * not matter. Linux counterpart: {@code is_cow_mapping} (mm/memory.c).
   *
   * @param flags the flags of a mapping
   * @return true if a store into it makes a private copy
   */
  public static boolean isCow(long flags) {
    return (flags & (SHARED | MAYWRITE)) == MAYWRITE;
  }

  /**
   * Prints flags as /proc/PID/maps does.
   *
   * @param flags the flags of a mapping
   * @return such as {@code r-xp} or {@code rw-s}
   */
  public static String describe(long flags) {
    return access(flags).toString() + ((flags & MAYSHARE) != 0 ? 's' : 'p');
  }

  /**
   * Prints flags as the VmFlags line of /proc/PID/smaps does. Linux counterpart: {@code
   * show_smap_vma_flags} (fs/proc/task_mmu.c).
   *
   * @param flags the flags of a mapping
   * @return two letters for each that has a name, such as {@code rd ex mr mw me mm}
   */
  public static String letters(long flags) {
    StringJoiner names = new StringJoiner(" ");
    for (int i = 0; i < LETTERS.length; i += 2) {
      if ((flags & (long) LETTERS[i]) != 0) {
        names.add((String) LETTERS[i + 1]);
      }
    }
    return names.toString();
  }
}
