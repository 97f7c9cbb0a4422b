package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import dev.xip.image.FsInfo;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/**
 * A superblock that was checked as a whole: offsets computed from it stay inside the image. Linux
 * counterpart: fs/ext2/super.c:ext2_fill_super.
 *
 * @param blocks how many blocks there are, all of them inside the image file
 * @param blocksPerGroup how many blocks a group has, the last group maybe fewer
 * @param inodes how many inodes there are, a multiple of those of a group
 * @param inodesPerGroup how many inodes a group has, a multiple of those of a block
 * @param inodeSize the size of an inode in bytes, a power of two, 128..4096
 * @param descriptorSize the size of a group descriptor in bytes, a power of two, 32..4096
 * @param firstInode the first inode that is not reserved
 * @param fileTypes whether directory entries hold the type of what they name
 * @param info the fields that are shown to users
 */
public record Superblock(
    long blocks,
    long blocksPerGroup,
    long inodes,
    long inodesPerGroup,
    int inodeSize,
    int descriptorSize,
    long firstInode,
    boolean fileTypes,
    FsInfo info) {

  /**
   * Reads and checks the superblock.
   *
   * @param view the image
   * @return the superblock
   * @throws MalformedDataException if it is damaged, the image is shorter than it says, or it is of
   *     a kind that is not read
   */
  public static Superblock read(ByteView view) throws MalformedDataException {
    view.checkRange(ExtLayout.SUPERBLOCK_OFFSET, ExtLayout.SUPERBLOCK_SIZE, "an ext2 superblock");
    return new Reader(view).read();
  }

  /** {@return the number of groups, of which the last one may be short} */
  public long groups() {
    return Math.ceilDiv(blocks, blocksPerGroup);
  }

  /**
   * {@return the first block behind the superblock and the group descriptors, where blocks of files
   * may begin}
   */
  public long firstUsableBlock() {
    return 1 + Math.ceilDiv(groups() * descriptorSize, ExtLayout.BLOCK_SIZE);
  }

  /** Reads the fields one by one, features first, each checked before the next is used. */
  private static final class Reader {
    private final ByteView view;

    Reader(ByteView view) {
      this.view = view;
    }

    Superblock read() throws MalformedDataException {
      checkKind();
      boolean dynamic = u32(ExtLayout.S_REV_LEVEL) != ExtLayout.REVISION_OLD;
      long inodeSize = dynamic ? view.u16(at(ExtLayout.S_INODE_SIZE)) : ExtLayout.OLD_INODE_SIZE;
      check(
          Long.bitCount(inodeSize) == 1
              && inodeSize >= ExtLayout.OLD_INODE_SIZE
              && inodeSize <= ExtLayout.BLOCK_SIZE,
          ExtLayout.S_INODE_SIZE,
          "an inode size that is a power of two, 128..4096",
          inodeSize);
      long firstInode = dynamic ? u32(ExtLayout.S_FIRST_INO) : ExtLayout.OLD_FIRST_INO;
      check(
          firstInode >= ExtLayout.OLD_FIRST_INO,
          ExtLayout.S_FIRST_INO,
          "a first inode of 11 or more",
          firstInode);
      long inodesPerGroup = u32(ExtLayout.S_INODES_PER_GROUP);
      long inodesPerBlock = ExtLayout.BLOCK_SIZE / inodeSize;
      check(
          inodesPerGroup > 0
              && inodesPerGroup <= ExtLayout.BITMAP_BITS
              && inodesPerGroup % inodesPerBlock == 0,
          ExtLayout.S_INODES_PER_GROUP,
          "a multiple of " + inodesPerBlock + " up to 32768 inodes per group",
          inodesPerGroup);
      long blocksPerGroup = u32(ExtLayout.S_BLOCKS_PER_GROUP);
      check(
          blocksPerGroup > 0 && blocksPerGroup <= ExtLayout.BITMAP_BITS,
          ExtLayout.S_BLOCKS_PER_GROUP,
          "1..32768 blocks per group",
          blocksPerGroup);
      Superblock superblock =
          new Superblock(
              checkedBlocks(),
              blocksPerGroup,
              u32(ExtLayout.S_INODES_COUNT),
              inodesPerGroup,
              (int) inodeSize,
              descriptorSize(),
              firstInode,
              (u32(ExtLayout.S_FEATURE_INCOMPAT) & ExtFeatures.INCOMPAT_FILETYPE) != 0,
              info());
      checkGroups(superblock);
      return superblock;
    }

    private int descriptorSize() throws MalformedDataException {
      if ((u32(ExtLayout.S_FEATURE_INCOMPAT) & ExtFeatures.INCOMPAT_64BIT) == 0) {
        return ExtLayout.GROUP_DESCRIPTOR_SIZE;
      }
      int size = view.u16(at(ExtLayout.S_DESC_SIZE));
      check(
          Integer.bitCount(size) == 1
              && size >= 2 * ExtLayout.GROUP_DESCRIPTOR_SIZE
              && size <= ExtLayout.BLOCK_SIZE,
          ExtLayout.S_DESC_SIZE,
          "a group descriptor size that is a power of two, 64..4096",
          size);
      return size;
    }

    /** Refuses other formats, features and block sizes before any other field is used. */
    private void checkKind() throws MalformedDataException {
      int magic = view.u16(at(ExtLayout.S_MAGIC));
      if (magic != ExtLayout.MAGIC) {
        throw view.malformed(
            at(ExtLayout.S_MAGIC), "the ext2 magic 0xef53", "0x%04x".formatted(magic));
      }
      long unknown = u32(ExtLayout.S_FEATURE_INCOMPAT) & ~(long) ExtFeatures.INCOMPAT_SUPPORTED;
      if (unknown != 0) {
        throw view.malformed(
            at(ExtLayout.S_FEATURE_INCOMPAT),
            "no incompatible feature but filetype",
            String.join(", ", ExtFeatures.incompat(unknown)));
      }
      long revision = u32(ExtLayout.S_REV_LEVEL);
      check(
          revision <= ExtLayout.REVISION_DYNAMIC,
          ExtLayout.S_REV_LEVEL,
          "revision 0 or 1",
          revision);
      long logBlockSize = u32(ExtLayout.S_LOG_BLOCK_SIZE);
      if (logBlockSize != ExtLayout.LOG_BLOCK_SIZE) {
        throw view.malformed(
            at(ExtLayout.S_LOG_BLOCK_SIZE),
            "blocks of 4096 bytes, the size of a page",
            logBlockSize <= 6
                ? "blocks of %d bytes".formatted(1024 << logBlockSize)
                : "a block size of 2^(10 + %d)".formatted(logBlockSize));
      }
      long firstDataBlock = u32(ExtLayout.S_FIRST_DATA_BLOCK);
      check(
          firstDataBlock == 0,
          ExtLayout.S_FIRST_DATA_BLOCK,
          "the superblock in block 0",
          firstDataBlock);
    }

    private long checkedBlocks() throws MalformedDataException {
      long blocks = u32(ExtLayout.S_BLOCKS_COUNT);
      if (blocks << ExtLayout.BLOCK_SHIFT > view.size()) {
        throw view.malformed(
            at(ExtLayout.S_BLOCKS_COUNT),
            "a file of 0x%x bytes, for %d blocks of 4096"
                .formatted(blocks << ExtLayout.BLOCK_SHIFT, blocks),
            "one of 0x%x bytes: it is truncated".formatted(view.size()));
      }
      return blocks;
    }

    private void checkGroups(Superblock superblock) throws MalformedDataException {
      check(
          superblock.firstUsableBlock() < superblock.blocks,
          ExtLayout.S_BLOCKS_COUNT,
          "room for more than superblock and group descriptors",
          superblock.blocks);
      check(
          superblock.inodes == superblock.groups() * superblock.inodesPerGroup,
          ExtLayout.S_INODES_COUNT,
          superblock.groups() * superblock.inodesPerGroup
              + " inodes, for "
              + superblock.groups()
              + " groups of "
              + superblock.inodesPerGroup,
          superblock.inodes);
    }

    private FsInfo info() throws MalformedDataException {
      byte[] label = view.bytes(at(ExtLayout.S_VOLUME_NAME), ExtLayout.VOLUME_NAME_LENGTH);
      int length = 0;
      while (length < label.length && label[length] != 0) {
        length++;
      }
      UUID uuid =
          new UUID(
              Long.reverseBytes(view.u64(at(ExtLayout.S_UUID))),
              Long.reverseBytes(view.u64(at(ExtLayout.S_UUID) + Long.BYTES)));
      return new FsInfo(
          "ext2",
          new String(label, 0, length, StandardCharsets.UTF_8),
          uuid.toString(),
          ExtLayout.BLOCK_SIZE,
          u32(ExtLayout.S_BLOCKS_COUNT),
          u32(ExtLayout.S_FREE_BLOCKS_COUNT),
          u32(ExtLayout.S_INODES_COUNT),
          u32(ExtLayout.S_FREE_INODES_COUNT),
          ExtFeatures.all(
              u32(ExtLayout.S_FEATURE_COMPAT),
              u32(ExtLayout.S_FEATURE_INCOMPAT),
              u32(ExtLayout.S_FEATURE_RO_COMPAT)));
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
}
