package dev.xip.image.erofs;

import dev.xip.base.ByteView;
import dev.xip.base.FileName;
import dev.xip.base.MalformedDataException;
import dev.xip.image.BlockMap;
import dev.xip.image.DirEntryVisitor;
import dev.xip.image.DirectoryEntries;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.image.NameIndex;
import java.io.IOException;

/**
 * The entries of one directory. They are sorted by name, over all blocks, so a name is found by two
 * binary searches. A name that is not found is looked for in a directory that is sound: its order
 * is checked once. An entry is numbered by its block and its place there. Linux counterpart:
 * fs/erofs/namei.c and fs/erofs/dir.c.
 */
final class DirectoryBlocks extends DirectoryEntries {
  private static final FileName DOT = FileName.of(".");

  /** A scan of so many bytes, some ten names, takes as long as a search. */
  private static final int SEARCH_BYTES = 256;

  /** Bits of the number of an entry that hold its place in its block, counted from 1. */
  private static final int PLACE_BITS = 13;

  private static final long PLACE = (1L << PLACE_BITS) - 1;

  /** In the number of an entry: it is the last one of its block. The block is above. */
  private static final long LAST = 1L << PLACE_BITS;

  private static final int BLOCK_SHIFT = PLACE_BITS + 1;

  private final InodeTable inodes;
  private final ByteView view;
  private final BlockMap map;
  private final int blockSize;
  private final boolean dotOmitted;

  /** Whether all entries were checked. */
  private volatile boolean sound;

  /** Receives an entry that was checked. */
  @FunctionalInterface
  private interface EntryScan {
    /**
     * Receives it.
     *
     * @param number its number
     * @param inode the number of the inode that it names
     * @param at its byte offset in the view
     * @param name the byte offset of its name
     * @param length the length of its name
     * @return true to go on
     */
    boolean entry(long number, long inode, long at, long name, int length) throws IOException;
  }

  /**
   * Makes a reader of a directory.
   *
   * @param inodes the inodes of the image
   * @param directory the inode of the directory
   * @param view what the blocks lie in: the image, or the decoded bytes of the directory
   * @param map where they lie there
   * @param blockSize the block size in bytes
   * @param dotOmitted whether there is no entry for the directory itself
   */
  DirectoryBlocks(
      InodeTable inodes,
      Inode directory,
      ByteView view,
      BlockMap map,
      int blockSize,
      boolean dotOmitted) {
    super(directory);
    this.inodes = inodes;
    this.view = view;
    this.map = map;
    this.blockSize = blockSize;
    this.dotOmitted = dotOmitted;
  }

  /**
   * Passes every entry to a visitor.
   *
   * @param visitor receives them, and may stop
   * @throws IOException if an entry is damaged or out of order, or what the visitor threw
   */
  @Override
  public void list(DirEntryVisitor visitor) throws IOException {
    if (dotOmitted && !visitor.entry(DOT, directory.number(), FileType.DIRECTORY)) {
      return;
    }
    scanEntries(
        (number, inode, at, name, length) ->
            visitor.entry(view.name(name, length), inode, type(at)));
  }

  /**
   * Finds a name.
   *
   * @param name the name
   * @return the number of the inode that it names, or -1
   * @throws IOException if the name is not found and an entry is damaged or out of order
   */
  @Override
  public long find(FileName name) throws IOException {
    if (dotOmitted && name.equals(DOT)) {
      return directory.number();
    }
    return findKey(name);
  }

  @Override
  protected long search(FileName name) throws IOException {
    addSearched(SEARCH_BYTES);
    long found = searchBlocks(name);
    if (found < 0 && !sound) {
      scan(entry -> true);
    }
    return found;
  }

  /**
   * Searches for the last block that does not begin behind the name, then in that. What a name
   * before it and one behind it have in common with it, all between have too, as the names are
   * sorted: those bytes are compared once more only with the name that is found.
   */
  private long searchBlocks(FileName name) throws IOException {
    long low = 0;
    long high = blocks() - 1;
    int before = 0;
    int behind = 0;
    while (low <= high) {
      long middle = low + high >>> 1;
      long block = block(middle);
      int names = firstName(block, length(middle));
      int order = compare(block, names, 0, middle, name, Math.min(before, behind));
      if (order == 0) {
        return compare(block, names, 0, middle, name, 0) == 0 ? number(block) : -1;
      }
      if (order < 0) {
        low = middle + 1;
        before = -order - 1;
      } else {
        high = middle - 1;
        behind = order - 1;
      }
    }
    return high < 0 ? -1 : searchBlock(high, name, before, behind);
  }

  private long searchBlock(long index, FileName name, int bytesBefore, int bytesBehind)
      throws IOException {
    long block = block(index);
    int names = firstName(block, length(index));
    int low = 1;
    int high = names / ErofsLayout.DIRENT_SIZE - 1;
    int before = bytesBefore;
    int behind = bytesBehind;
    while (low <= high) {
      int middle = low + high >>> 1;
      int order = compare(block, names, middle, index, name, Math.min(before, behind));
      if (order == 0) {
        return compare(block, names, middle, index, name, 0) == 0
            ? number(block + (long) middle * ErofsLayout.DIRENT_SIZE)
            : -1;
      }
      if (order < 0) {
        low = middle + 1;
        before = -order - 1;
      } else {
        high = middle - 1;
        behind = order - 1;
      }
    }
    return -1;
  }

  private long blocks() {
    return Math.ceilDiv(directory.size(), blockSize);
  }

  /** The length of a block; the last one ends with the directory. */
  private int length(long index) {
    return (int) Math.min(blockSize, directory.size() - index * blockSize);
  }

  private long block(long index) throws MalformedDataException {
    long block = map.imageOffset(index * blockSize);
    if (block < 0) {
      throw view.malformed(
          directory.offset(),
          "a block for byte 0x%x of directory inode %d"
              .formatted(index * blockSize, directory.number()),
          "a hole");
    }
    return block;
  }

  /** The offset in its block of the first name, which is where the entries end. */
  private int firstName(long block, int length) throws MalformedDataException {
    int names = length < ErofsLayout.DIRENT_SIZE ? 0 : view.u16(block + ErofsLayout.D_NAMEOFF);
    if (names < ErofsLayout.DIRENT_SIZE
        || names >= length
        || names % ErofsLayout.DIRENT_SIZE != 0) {
      throw view.malformed(
          block + ErofsLayout.D_NAMEOFF,
          "the first name behind entries of %d bytes, in a block of %d"
              .formatted(ErofsLayout.DIRENT_SIZE, length),
          "at %d".formatted(names));
    }
    return names;
  }

  /** The offset in its block of a name. */
  private int name(long block, int entry) throws MalformedDataException {
    return view.u16(block + (long) entry * ErofsLayout.DIRENT_SIZE + ErofsLayout.D_NAMEOFF);
  }

  /** The length of the name of an entry; that of the last one in a block may end with a zero. */
  private int nameLength(long block, int names, int entry, int length)
      throws MalformedDataException {
    int start = name(block, entry);
    int end = length;
    if ((entry + 1) * ErofsLayout.DIRENT_SIZE < names) {
      end = name(block, entry + 1);
    } else {
      for (end = start; end < length && view.u8(block + end) != 0; ) {
        end++;
      }
    }
    if (start < names || end <= start || end > length || end - start > ErofsLayout.MAX_NAME) {
      throw view.malformed(
          block + (long) entry * ErofsLayout.DIRENT_SIZE + ErofsLayout.D_NAMEOFF,
          "a name of 1..%d bytes in %d..%d".formatted(ErofsLayout.MAX_NAME, names, length),
          "one in %d..%d".formatted(start, end));
    }
    return end - start;
  }

  /**
   * Compares the name of an entry with another, byte by byte from one on.
   *
   * @return 0 if the rest is equal, else 1 more than the number of equal bytes before the first
   *     that differs, negative if the entry comes first
   */
  private int compare(long block, int names, int entry, long index, FileName other, int from)
      throws MalformedDataException {
    int length = nameLength(block, names, entry, length(index));
    long start = block + name(block, entry);
    int shorter = Math.min(length, other.length());
    for (int i = from; i < shorter; i++) {
      int order = view.u8(start + i) - (other.at(i) & 0xff);
      if (order != 0) {
        return order < 0 ? -i - 1 : i + 1;
      }
    }
    int order = Integer.compare(length, other.length());
    return order * (shorter + 1);
  }

  @Override
  protected boolean scan(Scan scan) throws IOException {
    return scanEntries((number, inode, at, name, length) -> scan.entry(number));
  }

  @Override
  public int hash(long number) throws MalformedDataException {
    long index = number >>> BLOCK_SHIFT;
    long block = block(index);
    int entry = place(number);
    int names = firstName(block, length(index));
    return NameIndex.hash(
        view, block + name(block, entry), nameLength(block, names, entry, length(index)));
  }

  /** Reads nothing but the entry, where the name of the next one begins, and the name. */
  @Override
  public boolean isNamed(long number, FileName key) throws MalformedDataException {
    long index = number >>> BLOCK_SHIFT;
    long block = block(index);
    int entry = place(number);
    int start = name(block, entry);
    int end = start + key.length();
    boolean ends =
        (number & LAST) == 0 ? name(block, entry + 1) == end : endsBlock(block, length(index), end);
    return ends && view.holds(block + start, key);
  }

  @Override
  public long inode(long number) throws IOException {
    return number(block(number >>> BLOCK_SHIFT) + (long) place(number) * ErofsLayout.DIRENT_SIZE);
  }

  /** Tells whether the last name of a block can end at an offset in it. */
  private boolean endsBlock(long block, int length, int end) throws MalformedDataException {
    return end == length || end < length && view.u8(block + end) == 0;
  }

  @Override
  public boolean haveOneName(long one, long other) throws IOException {
    long index = other >>> BLOCK_SHIFT;
    long block = block(index);
    int entry = place(other);
    int names = firstName(block, length(index));
    int length = nameLength(block, names, entry, length(index));
    return isNamed(one, view.name(block + name(block, entry), length));
  }

  private static int place(long number) {
    return (int) (number & PLACE) - 1;
  }

  /**
   * Reads and checks all entries, their order once.
   *
   * @return whether the scan went on to the end
   */
  private boolean scanEntries(EntryScan scan) throws IOException {
    boolean ordered = sound;
    long before = 0;
    int lengthBefore = 0;
    for (long index = 0; index < blocks(); index++) {
      long block = block(index);
      int names = firstName(block, length(index));
      int count = names / ErofsLayout.DIRENT_SIZE;
      for (int entry = 0; entry < count; entry++) {
        long at = block + (long) entry * ErofsLayout.DIRENT_SIZE;
        int length = nameLength(block, names, entry, length(index));
        long name = block + name(block, entry);
        long inode = checkedInode(at, name, length);
        if (!ordered && compare(before, lengthBefore, name, length) >= 0) {
          throw view.malformed(
              at,
              "names in order in directory inode %d".formatted(directory.number()),
              "%s behind %s".formatted(view.name(name, length), view.name(before, lengthBefore)));
        }
        long number = index << BLOCK_SHIFT | (entry == count - 1 ? LAST : 0) | entry + 1;
        if (!scan.entry(number, inode, at, name, length)) {
          return false;
        }
        before = name;
        lengthBefore = length;
      }
    }
    sound = true;
    return true;
  }

  private int compare(long one, int oneLength, long other, int otherLength)
      throws MalformedDataException {
    for (int i = 0; i < oneLength && i < otherLength; i++) {
      int order = view.u8(one + i) - view.u8(other + i);
      if (order != 0) {
        return order;
      }
    }
    return oneLength - otherLength;
  }

  /** Returns the inode of an entry. A file of a name with a slash would land outside its folder. */
  private long checkedInode(long at, long name, int length) throws IOException {
    for (int i = 0; i < length; i += Long.BYTES) {
      if (FileName.hasSlashOrNul(view.word(name + i, length - i), length - i)) {
        throw slashOrNul(name + i);
      }
    }
    if (dotOmitted && length == 1 && view.u8(name) == '.') {
      throw view.malformed(at, "no entry for the directory itself, as its inode says", "one");
    }
    return number(at);
  }

  /** Finds the byte for the message. */
  private MalformedDataException slashOrNul(long from) throws MalformedDataException {
    long at = from;
    while (view.u8(at) != '/' && view.u8(at) != 0) {
      at++;
    }
    return view.malformed(at, "a name without slash or NUL", "0x%02x".formatted(view.u8(at)));
  }

  private long number(long at) throws IOException {
    long nid = view.u64(at + ErofsLayout.D_NID);
    long number = inodes.number(nid);
    if (!inodes.has(number)) {
      throw view.malformed(
          at + ErofsLayout.D_NID, "the nid of an inode in the image", "0x%x".formatted(nid));
    }
    return number;
  }

  private FileType type(long at) throws MalformedDataException {
    int type = view.u8(at + ErofsLayout.D_FILE_TYPE);
    return FileType.ofEntry(type);
  }
}
