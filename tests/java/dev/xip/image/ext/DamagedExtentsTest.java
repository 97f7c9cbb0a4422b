package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.image.BlockMap;
import dev.xip.image.Verdict;
import dev.xip.testing.Images;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Each kind of damage to an extent tree, and each wrong checksum, is reported with its place. */
class DamagedExtentsTest extends DamagedImage {
  private static final int LEAF = ExtentLayout.ENTRY_SIZE;
  private static final int BLOCK = 1024;

  private final Seals seals = new Seals();

  /** Where the inode of a file with three levels of nodes lies, and its nodes. */
  private int inode;

  private int root;
  private int index;
  private int leaf;

  @BeforeAll
  static void packExtents() throws IOException {
    Path tree = Trees.small(folder.resolve("extents"));
    Random random = new Random(3);
    for (int i = 0; i < 600; i++) {
      Trees.write(tree.resolve("comb"), 8192L * i, 4096, random);
    }
    Path file = folder.resolve("extents.img");
    sound = Files.readAllBytes(Images.ext("ext4", tree, file, "-b", "1024", "-O", "^has_journal"));
  }

  @BeforeEach
  void findTheNodes() throws IOException {
    inode = offset("comb");
    root = inode + ExtLayout.I_BLOCK;
    index = bytes.getInt(root + LEAF + ExtentLayout.EI_LEAF_LO) * BLOCK;
    leaf = bytes.getInt(index + LEAF + ExtentLayout.EI_LEAF_LO) * BLOCK;
    assertThat(bytes.getShort(root + ExtentLayout.EH_DEPTH)).isEqualTo((short) 2);
    long number = inode("comb").number();
    seals.addSuperblock();
    seals.addInode(number, inode, 256);
    int tail = (1 + bytes.getShort(leaf + ExtentLayout.EH_MAX)) * ExtentLayout.ENTRY_SIZE;
    seals.addBlock(number, inode, index, index + tail);
    seals.addBlock(number, inode, leaf, leaf + tail);
    byte[] sealed = image.clone();
    seals.put(sealed);
    assertThat(sealed).as("checksums as mke2fs computes them").isEqualTo(image);
  }

  private void refuses(int at, int value, String expected, String found) {
    refuses(at, value, at, expected, found);
  }

  /** Changes 16 bits. */
  private void refuses(int at, int value, long place, String expected, String found) {
    short was = bytes.getShort(at);
    bytes.putShort(at, (short) value);
    seals.put(image);
    assertDamage(() -> open().blockMap(inode("comb")), place, expected, found);
    bytes.putShort(at, was);
  }

  @Test
  void damagedHeadersAreRefused() {
    for (int node : new int[] {root, index, leaf}) {
      refuses(node + ExtentLayout.EH_MAGIC, 0xf30b, "the magic 0xf30a", "0xf30b");
    }
    refuses(root + ExtentLayout.EH_MAX, 5, "room for 1..4 entries", "for 5");
    refuses(root + ExtentLayout.EH_MAX, 0, "room for 1..4 entries", "for 0");
    refuses(root + ExtentLayout.EH_ENTRIES, 0, "1..4 entries", "0");
    refuses(index + ExtentLayout.EH_ENTRIES, 0, "1..84 entries", "0");
    refuses(index + ExtentLayout.EH_MAX, 85, "room for 1..84 entries", "for 85");
    refuses(leaf + ExtentLayout.EH_ENTRIES, 85, "0..84 entries", "85");
  }

  @Test
  void levelsThatDoNotDescendAreRefused() {
    int depth = ExtentLayout.EH_DEPTH;
    refuses(root + depth, 6, "at most 5 levels", "one of 6");
    refuses(root + depth, 0xffff, "at most 5 levels", "one of 65535");
    refuses(root + depth, 1, index + depth, "a node with 0 levels below it", "one with 1");
    refuses(index + depth, 0, "a node with 1 levels below it", "one with 0");
    refuses(leaf + depth, 1, "a node with 0 levels below it", "one with 1");
  }

  @Test
  void aNodeThatLeadsToItselfIsRefused() {
    int child = index + LEAF + ExtentLayout.EI_LEAF_LO;
    bytes.putInt(child, index / BLOCK);
    seals.put(image);
    assertDamage(
        () -> open().blockMap(inode("comb")),
        index + ExtentLayout.EH_DEPTH,
        "a node with 0 levels",
        "one with 1");
  }

  @Test
  void entriesOutOfOrderAreRefused() {
    int second = leaf + 2 * LEAF + ExtentLayout.E_BLOCK;
    refuses(second, 0, "block 4 of inode", "block 0");
    refuses(second, 3, "block 4 of inode", "block 3");
    int next = index + 2 * LEAF + ExtentLayout.E_BLOCK;
    refuses(next, 0, "or one behind it", "block 0");
  }

  @Test
  void aNodeThatBeginsElsewhereThanTheLevelAboveSaysIsRefused() {
    int first = leaf + LEAF + ExtentLayout.E_BLOCK;
    refuses(first, 1, "block 0 of inode", "block 1");
  }

  @Test
  void lengthsThatNoExtentHasAreRefused() {
    int length = leaf + LEAF + ExtentLayout.EE_LEN;
    refuses(length, 0, "an extent of 1..32768 blocks", "one of 0");
    refuses(length, 9, leaf + 2 * LEAF, "or one behind it", "block 8");
  }

  @Test
  void blocksOutsideTheImageAreRefused() {
    int start = leaf + LEAF + ExtentLayout.EE_START_LO;
    int high = leaf + LEAF + ExtentLayout.EE_START_HI;
    refuses(high, 0x8000, start, "a block number of", "1407374883");
    int was = bytes.getInt(start);
    for (int block : new int[] {0, 1, image.length / BLOCK, -1}) {
      bytes.putInt(start, block);
      seals.put(image);
      assertDamage(
          () -> open().blockMap(inode("comb")),
          start,
          "a block number of",
          Integer.toUnsignedString(block));
    }
    bytes.putInt(start, was);
    int child = index + LEAF + ExtentLayout.EI_LEAF_HI;
    refuses(child, 1, index + LEAF + ExtentLayout.EI_LEAF_LO, "a block number", "42949");
  }

  @Test
  void aBlockNamedTwiceIsRefused() {
    int start = leaf + LEAF + ExtentLayout.EE_START_LO;
    int second = start + ExtentLayout.ENTRY_SIZE;
    refuses(second, bytes.getInt(start), root, "each block once", "twice");
    bytes.putInt(start, leaf / BLOCK);
    seals.put(image);
    assertDamage(
        () -> open().blockMap(inode("comb")),
        root,
        "each block once",
        "block %d twice".formatted(leaf / BLOCK));
  }

  @Test
  void unwrittenExtentsAreHoles() throws IOException {
    int length = leaf + LEAF + ExtentLayout.EE_LEN;
    bytes.putShort(length, (short) (ExtentLayout.MOST_WRITTEN + bytes.getShort(length)));
    seals.put(image);
    BlockMap map = open().blockMap(inode("comb"));
    assertThat(map.verdict()).isEqualTo(Verdict.SMALL_BLOCKS);
    assertThat(map.imageOffset(0)).isEqualTo(-1);
    assertThat(map.imageOffset(8192)).isPositive();
  }

  @Test
  void aWrongChecksumIsRefusedWithItsPlace() throws IOException {
    int tail = (1 + bytes.getShort(leaf + ExtentLayout.EH_MAX)) * ExtentLayout.ENTRY_SIZE;
    for (int node : new int[] {index, leaf}) {
      checksumRefuses(node + tail - 1, node + tail, "of a block of extents");
      checksumRefuses(node + tail, node + tail, "of a block of extents");
    }
    long number = inode("comb").number();
    int stored = inode + ExtLayout.I_CHECKSUM_LO;
    for (int field : new int[] {ExtLayout.I_MTIME, ExtLayout.I_GENERATION, 255}) {
      checksumRefuses(inode + field, stored, "of inode " + number);
    }
    checksumRefuses(stored, stored, "of inode " + number);
    checksumRefuses(inode + ExtLayout.I_CHECKSUM_HI, stored, "of inode " + number);
    int superblock = SUPERBLOCK + ExtLayout.S_CHECKSUM;
    checksumRefuses(SUPERBLOCK + ExtLayout.S_VOLUME_NAME, superblock, "of the superblock");
    checksumRefuses(superblock, superblock, "of the superblock");
    int group = 2 * BLOCK;
    int checksum = group + ExtLayout.BG_CHECKSUM;
    checksumRefuses(group + ExtLayout.BG_USED_DIRS_COUNT, checksum, "of group descriptor 0");
    checksumRefuses(group + 63, checksum, "of group descriptor 0");
  }

  private void checksumRefuses(int at, int place, String what) {
    image[at] ^= 0x10;
    assertDamage(() -> open().blockMap(inode("comb")), place, "the checksum 0x", "0x");
    assertDamage(() -> open().blockMap(inode("comb")), place, what, "0x");
    image[at] ^= 0x10;
  }

  @Test
  void aTableOfInodesPastFourGibiblocksIsRefused() throws IOException {
    int group = 2 * BLOCK;
    seals.addGroup(0, group, 64);
    int table = bytes.getInt(group + ExtLayout.BG_INODE_TABLE);
    bytes.putInt(group + ExtLayout.BG_INODE_TABLE + ExtLayout.BG_HIGH, 2);
    seals.put(image);
    assertDamage(
        () -> open().root(),
        group + ExtLayout.BG_INODE_TABLE,
        "an inode table of",
        "block " + ((2L << 32) + table));
  }

  @Test
  void moreBlocksThanTheFileHasAreRefused() {
    bytes.putInt(SUPERBLOCK + ExtLayout.S_BLOCKS_COUNT_HI, -1);
    seals.put(image);
    long blocks = (-1L << 32) + bytes.getInt(SUPERBLOCK + ExtLayout.S_BLOCKS_COUNT);
    assertDamage(
        this::open,
        SUPERBLOCK + ExtLayout.S_BLOCKS_COUNT,
        "a file with %s blocks".formatted(Long.toUnsignedString(blocks)),
        "it is truncated");
  }

  @Test
  void sizesOfDescriptorsAndClustersThatNoImageHasAreRefused() throws IOException {
    for (int size : new int[] {0, 32, 96, 2048}) {
      copyTheSoundImage();
      bytes.putShort(SUPERBLOCK + ExtLayout.S_DESC_SIZE, (short) size);
      seals.put(image);
      assertDamage(
          this::open, SUPERBLOCK + ExtLayout.S_DESC_SIZE, "a power of two, 64..1024", "" + size);
    }
    copyTheSoundImage();
    int features = bytes.getInt(SUPERBLOCK + ExtLayout.S_FEATURE_RO_COMPAT);
    bytes.putInt(
        SUPERBLOCK + ExtLayout.S_FEATURE_RO_COMPAT, features | ExtFeatures.RO_COMPAT_BIGALLOC);
    for (int log : new int[] {21, -1}) {
      bytes.putInt(SUPERBLOCK + ExtLayout.S_LOG_CLUSTER_SIZE, log);
      seals.put(image);
      assertDamage(
          this::open,
          SUPERBLOCK + ExtLayout.S_LOG_CLUSTER_SIZE,
          "clusters of 1024..1073741824 bytes",
          "2^");
    }
  }

  @Test
  void aChecksumOfAnotherKindIsRefused() {
    image[SUPERBLOCK + ExtLayout.S_CHECKSUM_TYPE] = 2;
    assertDamage(
        this::open, SUPERBLOCK + ExtLayout.S_CHECKSUM_TYPE, "checksums of type 1", "of type 2");
  }

  @Test
  void aSizeAboveTheBlocksThatExtentsCountIsRefused() {
    bytes.putInt(inode + ExtLayout.I_SIZE_HIGH, 0x401);
    seals.put(image);
    assertDamage(() -> inode("comb"), inode + ExtLayout.I_SIZE, "at most 0x40000000000", "0x401");
  }

  @Test
  void theSixteenBitChecksumOfADescriptorIsChecked() throws IOException {
    Path tree = Trees.small(folder.resolve("uninit"));
    Path file = folder.resolve("uninit.img");
    String[] options = {"-b", "4096", "-O", "uninit_bg,^metadata_csum,^64bit"};
    image = Files.readAllBytes(Images.ext("ext4", tree, file, options));
    open().root();
    image[4096 + ExtLayout.BG_FREE_BLOCKS_COUNT] ^= 1;
    assertDamage(
        () -> open().root(), 4096 + ExtLayout.BG_CHECKSUM, "of group descriptor 0", "0x0000");
  }
}
