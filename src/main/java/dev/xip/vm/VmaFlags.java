package dev.xip.vm;

import dev.xip.base.Access;

/** The flags of a mapping, with the kernel's values (include/linux/mm.h, 2.6.26). */
public final class VmaFlags {
  /** Bytes may be read now. */
  public static final long READ = 0x1;

  /** Bytes may be written now. */
  public static final long WRITE = 0x2;

  /** Instructions may be fetched now. */
  public static final long EXEC = 0x4;

  /** Stores are seen by everybody who maps the file. */
  public static final long SHARED = 0x8;

  /** READ may be granted later. */
  public static final long MAYREAD = 0x10;

  /** WRITE may be granted later. */
  public static final long MAYWRITE = 0x20;

  /** EXEC may be granted later. */
  public static final long MAYEXEC = 0x40;

  /** SHARED was asked for, even if the file cannot be written. */
  public static final long MAYSHARE = 0x80;

  /** Page frame numbers without page frames, linear from the page offset on. */
  public static final long PFNMAP = 0x400;

  /** Holds entries with and entries without page frames. */
  public static final long MIXEDMAP = 0x1000_0000;

  private VmaFlags() {}

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
   * @return what it allows now
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
}
