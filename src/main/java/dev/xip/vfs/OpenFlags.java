package dev.xip.vfs;

/** The flags of open(2) that the name space acts on (include/uapi/asm-generic/fcntl.h). */
public final class OpenFlags {
  /** O_ACCMODE: 0 to read, 1 to write, 2 for both. */
  public static final int ACCESS = 3;

  /** O_CREAT. */
  public static final int CREATE = 0x40;

  /** O_EXCL. */
  public static final int EXCLUSIVE = 0x80;

  /** O_TRUNC. */
  public static final int TRUNCATE = 0x200;

  /** O_DIRECTORY. */
  public static final int DIRECTORY = 0x1_0000;

  /** O_NOFOLLOW. */
  public static final int NO_FOLLOW = 0x2_0000;

  /** O_PATH. */
  public static final int PATH = 0x20_0000;

  /** What O_TMPFILE has more than O_DIRECTORY. */
  public static final int NAMELESS = 0x40_0000;

  private OpenFlags() {}

  static boolean isExclusive(int flags) {
    return (flags & (CREATE | EXCLUSIVE)) == (CREATE | EXCLUSIVE);
  }

  static boolean isNameless(int flags) {
    return (flags & NAMELESS) != 0;
  }

  /** Whether a file that is opened so is written or truncated. */
  static boolean changes(int flags) {
    return (flags & PATH) == 0 && (flags & (ACCESS | TRUNCATE)) != 0;
  }
}
