package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** A superblock that is inconsistent or needs an unknown feature is refused with the place. */
class DamagedSuperblockTest extends DamagedImage {
  private void assertOpenRefuses(int field, String expected, String found) {
    assertDamage(this::open, SUPERBLOCK + field, expected, found);
  }

  @Test
  void anEmptyFileIsNoImage() {
    image = new byte[0];
    assertOpenRefuses(0, "superblock of 1024 bytes inside the file", "a file of 0x0 bytes");
  }

  @Test
  void halfASuperblockIsNoImage() {
    image = Arrays.copyOf(image, 1500);
    assertOpenRefuses(0, "superblock of 1024 bytes inside the file", "a file of 0x5dc bytes");
  }

  @Test
  void aZeroedSuperblockHasNoMagic() {
    Arrays.fill(image, SUPERBLOCK, SUPERBLOCK + 1024, (byte) 0);
    assertOpenRefuses(ExtLayout.S_MAGIC, "0xef53", "0x0000");
  }

  @Test
  void aWrongMagicIsShown() {
    bytes.putShort(SUPERBLOCK + ExtLayout.S_MAGIC, (short) 0x1234);
    assertOpenRefuses(ExtLayout.S_MAGIC, "0xef53", "0x1234");
  }

  @Test
  void anImpossibleBlockSizeIsRefused() {
    for (int log : new int[] {7, -1}) {
      bytes.putInt(SUPERBLOCK + ExtLayout.S_LOG_BLOCK_SIZE, log);
      assertOpenRefuses(
          ExtLayout.S_LOG_BLOCK_SIZE,
          "blocks of 1024..65536 bytes",
          "2^(10 + %s)".formatted(Integer.toUnsignedString(log)));
    }
  }

  @Test
  void incompatibleFeaturesThatAreNotReadAreRefusedByTheirNames() {
    bytes.putInt(SUPERBLOCK + ExtLayout.S_FEATURE_INCOMPAT, 0x104b);
    assertOpenRefuses(
        ExtLayout.S_FEATURE_INCOMPAT,
        "only incompatible features that xip reads",
        "compression, journal_dev, dirdata");
  }

  @Test
  void anUnknownIncompatibleFeatureIsRefusedBeforeAnythingElse() {
    Arrays.fill(image, SUPERBLOCK, SUPERBLOCK + ExtLayout.S_MAGIC, (byte) 0xff);
    bytes.putInt(SUPERBLOCK + ExtLayout.S_FEATURE_INCOMPAT, 0x8000_0002);
    assertOpenRefuses(ExtLayout.S_FEATURE_INCOMPAT, "only incompatible", "incompat:0x80000000");
  }

  @Test
  void unknownFeaturesThatOnlyWritersNeedAreIgnored() throws IOException {
    bytes.putInt(SUPERBLOCK + ExtLayout.S_FEATURE_COMPAT, 0x4000_0000);
    bytes.putInt(SUPERBLOCK + ExtLayout.S_FEATURE_RO_COMPAT, 0x2000_0000);
    assertThat(open().info().features())
        .containsExactly("compat:0x40000000", "filetype", "ro_compat:0x20000000");
    assertThat(inode("hello.txt").size()).isEqualTo(6);
  }

  @Test
  void aTruncatedImageIsReportedWithBothSizes() {
    long blocks = bytes.getInt(SUPERBLOCK + ExtLayout.S_BLOCKS_COUNT);
    image = Arrays.copyOf(image, image.length - 1);
    assertOpenRefuses(
        ExtLayout.S_BLOCKS_COUNT,
        "a file with %d blocks of 4096 bytes".formatted(blocks),
        "one of 0x%x bytes: it is truncated".formatted(blocks * 4096 - 1));
  }

  @Test
  void nonsenseInTheSuperblockIsRefused() {
    refuses(ExtLayout.S_REV_LEVEL, 2, "revision 0 or 1");
    refuses(ExtLayout.S_FIRST_DATA_BLOCK, 1, "block 0 as the first of group 0");
    refuses(ExtLayout.S_BLOCKS_PER_GROUP, 0, "1..32768 blocks per group");
    refuses(ExtLayout.S_BLOCKS_PER_GROUP, 32769, "1..32768 blocks per group");
    refuses(ExtLayout.S_INODES_PER_GROUP, 0, "1..32768 inodes per group");
    refuses(ExtLayout.S_INODES_PER_GROUP, 32769, "1..32768 inodes per group");
    refuses(ExtLayout.S_INODES_COUNT, 1_000_000, "inodes, for 1 groups of");
    refuses(ExtLayout.S_FIRST_INO, 3, "a first inode of 11 or more");
    refuses(ExtLayout.S_BLOCKS_COUNT, 2, "room for more than superblock and group descriptors");
  }

  private void refuses(int field, int value, String expected) {
    int was = bytes.getInt(SUPERBLOCK + field);
    bytes.putInt(SUPERBLOCK + field, value);
    assertOpenRefuses(field, expected, Integer.toString(value));
    bytes.putInt(SUPERBLOCK + field, was);
  }

  @Test
  void anInodeSizeThatIsNoPowerOfTwoIsRefused() {
    for (int size : new int[] {0, 64, 160, 8192}) {
      bytes.putShort(SUPERBLOCK + ExtLayout.S_INODE_SIZE, (short) size);
      assertOpenRefuses(ExtLayout.S_INODE_SIZE, "a power of two, 128..4096", "" + size);
    }
  }
}
