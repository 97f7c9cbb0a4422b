package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import dev.xip.image.FsInfo;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Reads the fields of a superblock one by one, features first, each checked before it is used. */
final class SuperblockReader {
  private final ByteView view;
  private final ExtFeatures features;

  /** log2 of the block size. */
  private int blockShift;

  SuperblockReader(ByteView view) throws MalformedDataException {
    this.view = view;
    this.features = ExtFeatures.read(view);
  }

  /** Reads and checks the whole superblock. */
  Superblock read() throws MalformedDataException {
    checkKind();
    Checksums checksums = Checksums.read(view, features);
    blockShift = blockShift();
    int clusterShift = clusterShift();
    int inodeSize = inodeSize();
    int descriptorSize = descriptorSize();
    long bitmapBits = 8L << blockShift;
    long inodesPerGroup = u32(ExtLayout.S_INODES_PER_GROUP);
    check(
        inodesPerGroup > 0 && inodesPerGroup <= bitmapBits,
        ExtLayout.S_INODES_PER_GROUP,
        "1.." + bitmapBits + " inodes per group",
        inodesPerGroup);
    long blocksPerGroup = u32(ExtLayout.S_BLOCKS_PER_GROUP);
    check(
        blocksPerGroup > 0 && blocksPerGroup <= bitmapBits << clusterShift,
        ExtLayout.S_BLOCKS_PER_GROUP,
        "1.." + (bitmapBits << clusterShift) + " blocks per group",
        blocksPerGroup);
    Superblock superblock =
        new Superblock(
            blockShift,
            blocks(),
            firstDataBlock(clusterShift),
            blocksPerGroup,
            clusterShift,
            u32(ExtLayout.S_INODES_COUNT),
            inodesPerGroup,
            inodeSize,
            descriptorSize,
            features.hasIncompat(ExtFeatures.INCOMPAT_META_BG)
                ? u32(ExtLayout.S_FIRST_META_BG)
                : Long.MAX_VALUE,
            new Superblock.Backups(
                u32(ExtLayout.S_BACKUP_BGS), u32(ExtLayout.S_BACKUP_BGS + Integer.BYTES)),
            firstInode(),
            features,
            checksums,
            info());
    checkGroups(superblock);
    return superblock;
  }

  /** Refuses other formats and features before any other field is used. */
  private void checkKind() throws MalformedDataException {
    int magic = view.u16(at(ExtLayout.S_MAGIC));
    if (magic != ExtLayout.MAGIC) {
      throw view.malformed(
          at(ExtLayout.S_MAGIC), "the ext2 magic 0xef53", "0x%04x".formatted(magic));
    }
    if (!features.refused().isEmpty()) {
      throw view.malformed(
          at(ExtLayout.S_FEATURE_INCOMPAT),
          "only incompatible features that xip reads",
          String.join(", ", features.refused()));
    }
    long revision = u32(ExtLayout.S_REV_LEVEL);
    check(
        revision <= ExtLayout.REVISION_DYNAMIC, ExtLayout.S_REV_LEVEL, "revision 0 or 1", revision);
  }

  private int blockShift() throws MalformedDataException {
    long log = u32(ExtLayout.S_LOG_BLOCK_SIZE);
    if (log > ExtLayout.MOST_BLOCK_SHIFT - ExtLayout.LEAST_BLOCK_SHIFT) {
      throw view.malformed(
          at(ExtLayout.S_LOG_BLOCK_SIZE),
          "blocks of 1024..65536 bytes",
          "a block size of 2^(10 + %d)".formatted(log));
    }
    return ExtLayout.LEAST_BLOCK_SHIFT + (int) log;
  }

  private int clusterShift() throws MalformedDataException {
    if (!features.hasRoCompat(ExtFeatures.RO_COMPAT_BIGALLOC)) {
      return 0;
    }
    long shift = ExtLayout.LEAST_BLOCK_SHIFT + u32(ExtLayout.S_LOG_CLUSTER_SIZE);
    if (shift < blockShift || shift > ExtLayout.MOST_CLUSTER_SHIFT) {
      throw view.malformed(
          at(ExtLayout.S_LOG_CLUSTER_SIZE),
          "clusters of %d..%d bytes".formatted(1 << blockShift, 1 << ExtLayout.MOST_CLUSTER_SHIFT),
          "a cluster size of 2^%d".formatted(shift));
    }
    return (int) shift - blockShift;
  }

  private boolean isDynamic() throws MalformedDataException {
    return u32(ExtLayout.S_REV_LEVEL) != ExtLayout.REVISION_OLD;
  }

  private int inodeSize() throws MalformedDataException {
    int size = isDynamic() ? view.u16(at(ExtLayout.S_INODE_SIZE)) : ExtLayout.OLD_INODE_SIZE;
    check(
        Integer.bitCount(size) == 1 && size >= ExtLayout.OLD_INODE_SIZE && size <= 1 << blockShift,
        ExtLayout.S_INODE_SIZE,
        "an inode size that is a power of two, 128.." + (1 << blockShift),
        size);
    return size;
  }

  private long firstInode() throws MalformedDataException {
    long first = isDynamic() ? u32(ExtLayout.S_FIRST_INO) : ExtLayout.OLD_FIRST_INO;
    check(
        first >= ExtLayout.OLD_FIRST_INO,
        ExtLayout.S_FIRST_INO,
        "a first inode of 11 or more",
        first);
    return first;
  }

  private int descriptorSize() throws MalformedDataException {
    if (!features.hasIncompat(ExtFeatures.INCOMPAT_64BIT)) {
      return ExtLayout.GROUP_DESCRIPTOR_SIZE;
    }
    int size = view.u16(at(ExtLayout.S_DESC_SIZE));
    check(
        Integer.bitCount(size) == 1
            && size >= ExtLayout.LARGE_GROUP_DESCRIPTOR_SIZE
            && size <= ExtLayout.MOST_GROUP_DESCRIPTOR_SIZE,
        ExtLayout.S_DESC_SIZE,
        "a group descriptor size that is a power of two, 64..1024",
        size);
    return size;
  }

  private long firstDataBlock(int clusterShift) throws MalformedDataException {
    long expected = blockShift == ExtLayout.LEAST_BLOCK_SHIFT && clusterShift == 0 ? 1 : 0;
    long found = u32(ExtLayout.S_FIRST_DATA_BLOCK);
    check(
        found == expected,
        ExtLayout.S_FIRST_DATA_BLOCK,
        "block " + expected + " as the first of group 0",
        found);
    return expected;
  }

  /** Returns a number of blocks, whose high half counts with the feature 64bit alone. */
  private long blocks(int low, int high) throws MalformedDataException {
    return features.hasIncompat(ExtFeatures.INCOMPAT_64BIT)
        ? u32(low) | u32(high) << Integer.SIZE
        : u32(low);
  }

  private long blocks() throws MalformedDataException {
    long blocks = blocks(ExtLayout.S_BLOCKS_COUNT, ExtLayout.S_BLOCKS_COUNT_HI);
    if (blocks < 0 || blocks > view.size() >> blockShift) {
      throw view.malformed(
          at(ExtLayout.S_BLOCKS_COUNT),
          "a file with %s blocks of %d bytes"
              .formatted(Long.toUnsignedString(blocks), 1 << blockShift),
          "one of 0x%x bytes: it is truncated".formatted(view.size()));
    }
    return blocks;
  }

  private void checkGroups(Superblock superblock) throws MalformedDataException {
    check(
        superblock.firstDataBlock() < superblock.blocks()
            && superblock.firstUsableBlock() < superblock.blocks(),
        ExtLayout.S_BLOCKS_COUNT,
        "room for more than superblock and group descriptors",
        superblock.blocks());
    check(
        superblock.inodes() == superblock.groups() * superblock.inodesPerGroup(),
        ExtLayout.S_INODES_COUNT,
        superblock.groups() * superblock.inodesPerGroup()
            + " inodes, for "
            + superblock.groups()
            + " groups of "
            + superblock.inodesPerGroup(),
        superblock.inodes());
  }

  private FsInfo info() throws MalformedDataException {
    byte[] label = view.bytes(at(ExtLayout.S_VOLUME_NAME), ExtLayout.VOLUME_NAME_LENGTH);
    int length = 0;
    while (length < label.length && label[length] != 0) {
      length++;
    }
    return new FsInfo(
        features.format(),
        new String(label, 0, length, StandardCharsets.UTF_8),
        view.uuid(at(ExtLayout.S_UUID)),
        1 << blockShift,
        blocks(),
        blocks(ExtLayout.S_FREE_BLOCKS_COUNT, ExtLayout.S_FREE_BLOCKS_COUNT_HI),
        u32(ExtLayout.S_INODES_COUNT),
        u32(ExtLayout.S_FREE_INODES_COUNT),
        features.names(),
        doubts());
  }

  /** What the kernel warns of when it mounts the image: fs/ext4/super.c:ext4_setup_super. */
  private List<String> doubts() throws MalformedDataException {
    int state = view.u16(at(ExtLayout.S_STATE));
    List<String> doubts = new ArrayList<>();
    if ((state & ExtLayout.STATE_VALID) == 0) {
      doubts.add("was not unmounted, so files may be damaged; e2fsck -fn checks it");
    }
    if ((state & ExtLayout.STATE_ERRORS) != 0) {
      doubts.add("errors were found in it, so files may be damaged; e2fsck -fn checks it");
    }
    return List.copyOf(doubts);
  }

  private void check(boolean holds, int field, String expected, long found)
      throws MalformedDataException {
    if (!holds) {
      throw view.malformed(at(field), expected, Long.toString(found));
    }
  }

  private long u32(int field) throws MalformedDataException {
    return view.u32(at(field));
  }

  private static long at(int field) {
    return ExtLayout.SUPERBLOCK_OFFSET + field;
  }
}
