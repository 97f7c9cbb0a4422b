package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import dev.xip.image.BlockMap;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.image.Verdict;
import java.util.Arrays;

/**
 * The journal of an image as a ring of blocks, with what its superblock says about them. Linux
 * counterpart: fs/jbd2/journal.c:journal_load_superblock.
 */
final class JournalLog {
  private static final int KNOWN_INCOMPAT =
      JournalLayout.INCOMPAT_REVOKE
          | JournalLayout.INCOMPAT_64BIT
          | JournalLayout.INCOMPAT_ASYNC_COMMIT
          | JournalLayout.INCOMPAT_CSUM_V2
          | JournalLayout.INCOMPAT_CSUM_V3
          | JournalLayout.INCOMPAT_FAST_COMMIT;

  private final ByteView view;
  private final int blockSize;
  private final BlockMap blocks;

  /** The byte offset of the journal's superblock. */
  private final long at;

  private final long compat;
  private final long incompat;

  /** The first block of the log and the one behind the last. */
  private final long first;

  private final long end;

  /** Where the journal's extents begin in the image, ascending, and where each ends. */
  private final long[] starts;

  private final long[] ends;

  private final JournalChecksums checksums;

  /**
   * Opens the journal of an inode.
   *
   * @param view the image
   * @param superblock its superblock
   * @param inode the inode of the journal
   * @throws MalformedDataException if it is no journal, is damaged, or has features that are not
   *     known
   */
  JournalLog(ByteView view, Superblock superblock, Inode inode) throws MalformedDataException {
    this.view = view;
    this.blockSize = superblock.blockSize();
    boolean inBlocks = (inode.flags() & (ExtLayout.INLINE_DATA_FL | ExtLayout.ENCRYPT_FL)) == 0;
    if (inode.type() != FileType.REGULAR || inode.links() == 0 || !inBlocks) {
      throw view.malformed(
          inode.offset(),
          "a regular file in blocks, which is the journal",
          "type %s, %d links, flags 0x%x"
              .formatted(inode.type().letter(), inode.links(), inode.flags()));
    }
    this.blocks = BlockTree.read(view, superblock, inode, Verdict.IN_PLACE);
    this.at = offset(0);
    boolean features = version() == JournalLayout.SUPERBLOCK_V2;
    this.compat = features ? u32(JournalLayout.S_FEATURE_COMPAT) : 0;
    this.incompat = features ? u32(JournalLayout.S_FEATURE_INCOMPAT) : 0;
    this.checksums = new JournalChecksums(view, at, blockSize, incompat);
    checkFeatures(features ? u32(JournalLayout.S_FEATURE_RO_COMPAT) : 0);
    long length = u32(JournalLayout.S_MAXLEN);
    long fast = has(JournalLayout.INCOMPAT_FAST_COMMIT) ? fastCommitBlocks() : 0;
    check(
        length >= JournalLayout.MIN_BLOCKS + fast && length <= inode.size() / blockSize,
        JournalLayout.S_MAXLEN,
        "a length of "
            + (JournalLayout.MIN_BLOCKS + fast)
            + ".."
            + inode.size() / blockSize
            + " blocks",
        length);
    this.end = length - fast;
    this.first = u32(JournalLayout.S_FIRST);
    check(
        first > 0 && first < end,
        JournalLayout.S_FIRST,
        "a log that begins in block 1.." + (end - 1),
        first);
    check(
        start() == 0 || start() >= first && start() < end,
        JournalLayout.S_START,
        "0 or a block of " + first + ".." + (end - 1),
        start());
    this.starts = new long[blocks.extentCount()];
    this.ends = new long[starts.length];
    sortExtents();
  }

  private int version() throws MalformedDataException {
    if ((int) u32(JournalLayout.H_MAGIC) != JournalLayout.MAGIC) {
      throw view.malformed(
          at,
          "the magic 0x%08x of a journal".formatted(JournalLayout.MAGIC),
          "0x%08x".formatted(u32(JournalLayout.H_MAGIC)));
    }
    int type = (int) u32(JournalLayout.H_BLOCKTYPE);
    check(
        type == JournalLayout.SUPERBLOCK_V1 || type == JournalLayout.SUPERBLOCK_V2,
        JournalLayout.H_BLOCKTYPE,
        "a superblock of version 1 or 2, block type 3 or 4",
        type);
    check(
        u32(JournalLayout.S_BLOCKSIZE) == blockSize,
        JournalLayout.S_BLOCKSIZE,
        "blocks of " + blockSize + " bytes, as the image has them",
        u32(JournalLayout.S_BLOCKSIZE));
    return type;
  }

  private void checkFeatures(long roCompat) throws MalformedDataException {
    long unknown = incompat & ~(long) KNOWN_INCOMPAT;
    if (unknown != 0 || roCompat != 0) {
      int field =
          unknown != 0 ? JournalLayout.S_FEATURE_INCOMPAT : JournalLayout.S_FEATURE_RO_COMPAT;
      throw view.malformed(
          at + field,
          "features of the journal that are known, 0x%x".formatted(KNOWN_INCOMPAT),
          "incompat:0x%x and ro_compat:0x%x besides".formatted(unknown, roCompat));
    }
    boolean version1 = (compat & JournalLayout.COMPAT_CHECKSUM) != 0;
    boolean version2 = has(JournalLayout.INCOMPAT_CSUM_V2);
    boolean version3 = has(JournalLayout.INCOMPAT_CSUM_V3);
    if (version2 && version3 || version1 && (version2 || version3)) {
      throw view.malformed(
          at + JournalLayout.S_FEATURE_INCOMPAT,
          "checksums of one version",
          "compat:0x%x and incompat:0x%x".formatted(compat, incompat));
    }
    if (checksums.inBlocks()) {
      int type = view.u8(at + JournalLayout.S_CHECKSUM_TYPE);
      check(
          type == JournalLayout.CRC32C_CHECKSUM,
          JournalLayout.S_CHECKSUM_TYPE,
          "checksums of type 4, crc32c",
          type);
      if (!checksums.superblockAgrees(at)) {
        throw view.malformed(
            at + JournalLayout.S_CHECKSUM,
            "the checksum of the journal's superblock",
            "0x%08x".formatted(u32(JournalLayout.S_CHECKSUM)));
      }
    }
  }

  private long fastCommitBlocks() throws MalformedDataException {
    long count = u32(JournalLayout.S_NUM_FC_BLKS);
    return count == 0 ? JournalLayout.DEFAULT_FC_BLOCKS : count;
  }

  private void sortExtents() {
    for (int i = 0; i < starts.length; i++) {
      starts[i] = blocks.extent(i).imageOffset();
    }
    Arrays.sort(starts);
    for (int i = 0; i < starts.length; i++) {
      int sorted = Arrays.binarySearch(starts, blocks.extent(i).imageOffset());
      ends[sorted] = starts[sorted] + blocks.extent(i).length();
    }
  }

  private void check(boolean holds, int field, String expected, long found)
      throws MalformedDataException {
    if (!holds) {
      throw view.malformed(at + field, expected + " in the journal", Long.toString(found));
    }
  }

  private long u32(int field) throws MalformedDataException {
    return u32At(at + field);
  }

  /** Reads a big-endian number of 32 bits. */
  long u32At(long offset) throws MalformedDataException {
    return Integer.reverseBytes(view.s32(offset)) & 0xffff_ffffL;
  }

  /** {@return whether an incompatible feature is set} */
  boolean has(int feature) {
    return (incompat & feature) != 0;
  }

  /** {@return whether commit blocks have a checksum of version 1} */
  boolean sumsTransactions() {
    return (compat & JournalLayout.COMPAT_CHECKSUM) != 0;
  }

  /** {@return its checksums, of one thread} */
  JournalChecksums checksums() {
    return checksums;
  }

  /**
   * Tells what a block of the log is.
   *
   * @param offset its byte offset in the image
   * @param sequence a transaction
   * @return the type in its header, 0 if it has none or is of another transaction
   */
  int type(long offset, int sequence) throws MalformedDataException {
    return (int) u32At(offset + JournalLayout.H_MAGIC) == JournalLayout.MAGIC
            && (int) u32At(offset + JournalLayout.H_SEQUENCE) == sequence
        ? (int) u32At(offset + JournalLayout.H_BLOCKTYPE)
        : 0;
  }

  /** {@return the transaction that the log begins with} */
  int sequence() throws MalformedDataException {
    return (int) u32(JournalLayout.S_SEQUENCE);
  }

  /** {@return the block where the log begins, 0 if it is empty} */
  long start() throws MalformedDataException {
    return u32(JournalLayout.S_START);
  }

  /** {@return how many blocks the ring has} */
  long length() {
    return end - first;
  }

  /** {@return the first block for fast commits, which lies behind the ring and one more block} */
  long fastCommits() {
    return end + 1;
  }

  /**
   * Goes on in the ring.
   *
   * @param block a block of the ring
   * @param count how far to go, at least 0
   * @return the block there
   */
  long next(long block, long count) {
    return first + (block - first + count) % length();
  }

  /**
   * Finds a block of the journal.
   *
   * @param block its number in the journal
   * @return its byte offset in the image; the whole block lies inside
   * @throws MalformedDataException if the journal has no such block
   */
  long offset(long block) throws MalformedDataException {
    long offset = blocks.imageOffset(block * blockSize);
    if (offset < 0) {
      throw view.malformed(
          at, "block %d of the journal".formatted(block), "none there, a hole or the end");
    }
    return offset;
  }

  /** {@return whether a block of the image, at a byte offset, belongs to the journal} */
  boolean owns(long offset) {
    int found = Arrays.binarySearch(starts, offset);
    return found >= 0 || found < -1 && ends[-found - 2] > offset;
  }
}
