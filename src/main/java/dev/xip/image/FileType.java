package dev.xip.image;

/** The kind of a file, with the value of the format bits of its mode (stat(2), S_IFMT). */
public enum FileType {
  /** A regular file. */
  REGULAR(0x8000, '-'),
  /** A directory. */
  DIRECTORY(0x4000, 'd'),
  /** A symbolic link. */
  SYMLINK(0xa000, 'l'),
  /** A character device. */
  CHARACTER_DEVICE(0x2000, 'c'),
  /** A block device. */
  BLOCK_DEVICE(0x6000, 'b'),
  /** A named pipe. */
  FIFO(0x1000, 'p'),
  /** A socket. */
  SOCKET(0xc000, 's'),
  /** Not known, as in a directory entry that holds no type. */
  UNKNOWN(0, '?');

  private static final int FORMAT_MASK = 0xf000;

  /** Values() copies its array at each call. */
  private static final FileType[] ALL = values();

  /** By the value of file_type in a directory entry, FT_UNKNOWN..FT_SYMLINK. */
  private static final FileType[] OF_ENTRIES = {
    UNKNOWN, REGULAR, DIRECTORY, CHARACTER_DEVICE, BLOCK_DEVICE, FIFO, SOCKET, SYMLINK
  };

  private final int formatBits;
  private final char letter;

  FileType(int formatBits, char letter) {
    this.formatBits = formatBits;
    this.letter = letter;
  }

  /**
   * Returns the type that a mode names.
   *
   * @param mode a 16-bit file mode
   * @return the type, {@link #UNKNOWN} if its format bits have no meaning
   */
  public static FileType ofMode(int mode) {
    for (FileType type : ALL) {
      if (type.formatBits == (mode & FORMAT_MASK)) {
        return type;
      }
    }
    return UNKNOWN;
  }

  /**
   * Returns the type that a directory entry holds (include/linux/fs_types.h).
   *
   * @param value its file_type, at least 0
   * @return the type, {@link #UNKNOWN} if the value has no meaning
   */
  public static FileType ofEntry(int value) {
    return value < OF_ENTRIES.length ? OF_ENTRIES[value] : UNKNOWN;
  }

  /** {@return the format bits of a mode, S_IFMT} */
  public int mode() {
    return formatBits;
  }

  /** {@return the letter that {@code ls -l} prints first} */
  public char letter() {
    return letter;
  }
}
