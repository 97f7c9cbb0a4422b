package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import java.util.BitSet;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The groups that the blocks of an image are divided into, and the blocks that describe them:
 * copies of the superblock and of the group descriptors, bitmaps and tables of inodes. Linux
 * counterpart: fs/ext4/balloc.c.
 */
public final class BlockGroups {
  /** A prime, as the groups with files are often a power of two apart. */
  private static final int MOST_KNOWN = 1021;

  private final ByteView view;
  private final Superblock superblock;

  /** Of so many inodes of a group it is remembered which were checked; few groups have more. */
  private static final int MOST_REMEMBERED = 1 << 16;

  /** Direct-mapped cache of inode tables, indexed by group modulo the length. */
  private final AtomicReferenceArray<Table> tables;

  /**
   * An inode table that a descriptor of a right checksum names.
   *
   * @param group its group
   * @param block its first block
   * @param checked one bit for each inode whose checksum was found right; empty in an image without
   *     checksums. Not volatile: two threads may both check
   */
  private record Table(long group, long block, long[] checked) {}

  /**
   * Where an inode lies.
   *
   * @param at its byte offset in the image; the whole inode lies inside
   * @param index its place in the table of its group
   * @param checked one bit for each inode of the group whose checksum was found right; for a group
   *     of very many inodes, or without checksums, it has fewer bits or none
   */
  record Place(long at, int index, long[] checked) {
    /** {@return whether {@link #setChecked} was called and is remembered} */
    boolean isChecked() {
      return index >>> 6 < checked.length && (checked[index >>> 6] & 1L << index) != 0;
    }

    /** Remembers that the checksum of the inode is right. */
    void setChecked() {
      if (index >>> 6 < checked.length) {
        checked[index >>> 6] |= 1L << index;
      }
    }
  }

  /**
   * Makes a reader of the group descriptors.
   *
   * @param view the image
   * @param superblock its superblock
   */
  public BlockGroups(ByteView view, Superblock superblock) {
    this.view = view;
    this.superblock = superblock;
    this.tables = new AtomicReferenceArray<>((int) Math.min(superblock.groups(), MOST_KNOWN));
  }

  /**
   * Returns where a group begins.
   *
   * @param group its number, from 0
   * @return its first block
   */
  public long firstBlock(long group) {
    return superblock.firstDataBlock() + group * superblock.blocksPerGroup();
  }

  /**
   * Returns the size of a group.
   *
   * @param group its number, from 0
   * @return how many blocks it has; the last group may have fewer than the others
   */
  public int blocks(long group) {
    return (int) Math.min(superblock.blocksPerGroup(), superblock.blocks() - firstBlock(group));
  }

  /**
   * Returns the byte offset of a group's descriptor. Each block of descriptors follows the one
   * before, or lies at the beginning of the first group that it describes (fs/ext4/super.c:
   * descriptor_loc).
   */
  long descriptor(long group) throws MalformedDataException {
    int perBlock = superblock.blockSize() / superblock.descriptorSize();
    long table = group / perBlock;
    long block = superblock.descriptorTable() + table;
    if (table >= superblock.firstMetaTable()) {
      long first = table * perBlock;
      block = Math.max(firstBlock(first), superblock.descriptorTable() - 1);
      block += hasCopies(first) ? 1 : 0;
    }
    long at = (block << superblock.blockShift()) + group % perBlock * superblock.descriptorSize();
    superblock.checksums().checkGroup(view, group, at, superblock.descriptorSize());
    return at;
  }

  /**
   * Tells whether a group begins with a copy of the superblock: groups 0, 1 and the powers of 3, 5
   * and 7, or groups that the superblock names, or all. Linux counterpart: {@code
   * ext4_bg_has_super}.
   *
   * @param group its number, from 0
   * @return whether it does
   */
  public boolean hasCopies(long group) {
    if (group == 0) {
      return true;
    }
    if (superblock.features().hasCompat(ExtFeatures.COMPAT_SPARSE_SUPER2)) {
      return group == superblock.backups().one() || group == superblock.backups().other();
    }
    return !superblock.features().hasRoCompat(ExtFeatures.RO_COMPAT_SPARSE_SUPER)
        || group == 1
        || isPower(group, 3)
        || isPower(group, 5)
        || isPower(group, 7);
  }

  private static boolean isPower(long value, long base) {
    long left = value;
    while (left % base == 0) {
      left /= base;
    }
    return left == 1;
  }

  /**
   * Finds the block bitmap of a group.
   *
   * @param group its number, from 0
   * @return the number of the block
   * @throws MalformedDataException if the image has no such block
   */
  public long blockBitmap(long group) throws MalformedDataException {
    return block(descriptor(group) + ExtLayout.BG_BLOCK_BITMAP, 1, "a bitmap");
  }

  /**
   * Finds the inode bitmap of a group.
   *
   * @param group its number, from 0
   * @return the number of the block
   * @throws MalformedDataException if the image has no such block
   */
  public long inodeBitmap(long group) throws MalformedDataException {
    return block(descriptor(group) + ExtLayout.BG_INODE_BITMAP, 1, "a bitmap");
  }

  /**
   * Finds an inode.
   *
   * @param number its number
   * @return where it lies
   * @throws MalformedDataException if there is none of that number, it is reserved, or its group's
   *     descriptor is damaged
   */
  Place inode(long number) throws MalformedDataException {
    if (number < 1 || number > superblock.inodes()) {
      throw view.malformed(
          ExtLayout.SUPERBLOCK_OFFSET + ExtLayout.S_INODES_COUNT,
          "an inode number of 1..%d".formatted(superblock.inodes()),
          "inode number " + number);
    }
    if (number != ExtLayout.ROOT_INODE && number < superblock.firstInode()) {
      throw view.malformed(
          ExtLayout.SUPERBLOCK_OFFSET + ExtLayout.S_FIRST_INO,
          "the root inode or one from %d on".formatted(superblock.firstInode()),
          "reserved inode number " + number);
    }
    return anyInode(number);
  }

  /**
   * Finds an inode that may be a reserved one, such as that of the journal.
   *
   * @param number its number, which the image has
   * @return where it lies
   * @throws MalformedDataException if its group's descriptor is damaged
   */
  Place anyInode(long number) throws MalformedDataException {
    // Numbers of inodes have 32 bits, whose division takes half as long as that of 64.
    int perGroup = (int) superblock.inodesPerGroup();
    int quotient = Integer.divideUnsigned((int) (number - 1), perGroup);
    long group = Integer.toUnsignedLong(quotient);
    int index = (int) (number - 1) - quotient * perGroup;
    Table table = inodeTable(group);
    long start = table.block << superblock.blockShift();
    return new Place(start + (long) index * superblock.inodeSize(), index, table.checked);
  }

  /**
   * Finds the place where an inode is to be written.
   *
   * @param number its number, that of the root or of a file
   * @return its byte offset in the image; the whole inode lies inside
   * @throws MalformedDataException as {@link #inode} does
   */
  public long inodeOffset(long number) throws MalformedDataException {
    return inode(number).at;
  }

  /** {@return how many blocks the inodes of a group take} */
  private long inodeTableBlocks() {
    return Math.ceilDiv(
        superblock.inodesPerGroup() * superblock.inodeSize(), superblock.blockSize());
  }

  /** {@return the table of the inodes of a group; all of them lie inside the image} */
  private Table inodeTable(long group) throws MalformedDataException {
    int slot = (int) (group < tables.length() ? group : group % tables.length());
    Table known = tables.get(slot);
    if (known == null || known.group != group) {
      long field = descriptor(group) + ExtLayout.BG_INODE_TABLE;
      long block = block(field, inodeTableBlocks(), "an inode table");
      long bits = Math.min(superblock.inodesPerGroup(), MOST_REMEMBERED);
      boolean sums = superblock.checksums().inBlocks();
      known = new Table(group, block, new long[sums ? (int) (bits + 63 >>> 6) : 0]);
      tables.set(slot, known);
    }
    return known;
  }

  /** Reads the number of the first of several blocks, all of which lie inside the image. */
  private long block(long field, long count, String what) throws MalformedDataException {
    long low = view.u32(field);
    boolean large = superblock.descriptorSize() >= ExtLayout.LARGE_GROUP_DESCRIPTOR_SIZE;
    long block = large ? low | view.u32(field + ExtLayout.BG_HIGH) << Integer.SIZE : low;
    if (block < superblock.firstUsableBlock() || block > superblock.blocks() - count) {
      throw view.malformed(
          field,
          "%s of %d blocks in blocks %d..%d"
              .formatted(what, count, superblock.firstUsableBlock(), superblock.blocks() - 1),
          "one that starts in block %s".formatted(Long.toUnsignedString(block)));
    }
    return block;
  }

  /**
   * Finds the blocks of superblocks, descriptors, bitmaps and inode tables, which belong to no
   * file. Precondition: all descriptors lie behind the superblock, and there are fewer than 2^31
   * blocks.
   *
   * @return their numbers
   * @throws MalformedDataException if a descriptor is damaged
   */
  public BitSet metadata() throws MalformedDataException {
    BitSet blocks = new BitSet((int) superblock.blocks());
    for (long group = 0; group < superblock.groups(); group++) {
      if (hasCopies(group)) {
        set(blocks, firstBlock(group), 1 + superblock.descriptorBlocks());
      }
      set(blocks, blockBitmap(group), 1);
      set(blocks, inodeBitmap(group), 1);
      set(blocks, inodeTable(group).block, inodeTableBlocks());
    }
    return blocks;
  }

  private static void set(BitSet blocks, long first, long count) {
    blocks.set((int) first, (int) (first + count));
  }
}
