package dev.xip.image.erofs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.FileName;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FileContent;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Damage is reported with its place, and what this version does not read is named. */
class DamagedErofsImageTest {
  private static final int SUPERBLOCK = (int) ErofsLayout.SUPERBLOCK_OFFSET;
  private static final int BLOCK = 4096;
  private static final int ROOT = BLOCK;

  private byte[] image;
  private ByteBuffer bytes;

  @BeforeEach
  void makeTheImage() {
    image =
        new SmallErofs(12, false)
            .plain("plain", new byte[5000])
            .tail("tail", new byte[8192])
            .hole("hole", 100_000)
            .chunks("chunks", new byte[4096])
            .build();
    bytes = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
  }

  private ErofsImage open() throws IOException {
    ErofsDamageSeed.sum(image);
    return ErofsImage.open("damaged.img", MemorySegment.ofArray(image));
  }

  private Inode inode(String path) throws IOException {
    return PathResolver.resolve(open(), path, false);
  }

  private int offset(String path) throws IOException {
    return (int) inode(path).offset();
  }

  /** The first block of the root directory: the entry for itself, and the one above it. */
  private int directory() {
    return bytes.getInt(ROOT + ErofsLayout.I_U) * BLOCK;
  }

  private void read(String path) throws IOException {
    FileContent.of(open(), inode(path)).read(0, MemorySegment.ofArray(new byte[BLOCK]));
  }

  private static void assertDamage(
      ThrowingCallable reading, long offset, String expected, String found) {
    assertThatExceptionOfType(CorruptImageException.class)
        .isThrownBy(reading)
        .satisfies(
            damage -> {
              assertThat(damage.getFile()).isEqualTo("damaged.img");
              assertThat(damage).hasMessageContaining("at byte 0x%x: ".formatted(offset));
              assertThat(damage.expected()).contains(expected);
              assertThat(damage.found()).contains(found);
            });
  }

  @Test
  void anUnknownFeatureIsRefusedByItsBit() {
    bytes.putInt(SUPERBLOCK + ErofsLayout.S_FEATURE_INCOMPAT, 0x204);
    assertDamage(this::open, 0x450, "no incompatible feature above metabox", "incompat:0x200");
  }

  @Test
  void aWrongChecksumIsDamage() throws IOException {
    open();
    image[SUPERBLOCK + ErofsLayout.S_VOLUME_NAME] ^= 1;
    assertDamage(
        () -> ErofsImage.open("damaged.img", MemorySegment.ofArray(image)),
        0x404,
        "the checksum 0x",
        "0x");
  }

  @Test
  void anImageWithoutAChecksumOpens() throws IOException {
    bytes.putInt(SUPERBLOCK + ErofsLayout.S_FEATURE_COMPAT, 0);
    bytes.putInt(SUPERBLOCK + ErofsLayout.S_CHECKSUM, 12);
    assertThat(ErofsImage.open("damaged.img", MemorySegment.ofArray(image)).info().features())
        .containsExactly("chunked_file");
  }

  @Test
  void moreDevicesAreRefusedWithAdvice(@TempDir Path folder) throws IOException {
    Judge.program("mkfs.erofs");
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.write(tree.resolve("file"), new byte[100_000]);
    Path file =
        Images.erofs(
            tree,
            folder.resolve("image"),
            "--chunksize=4096",
            "--blobdev=" + folder.resolve("blobs"));
    byte[] all = Files.readAllBytes(file);
    assertDamage(
        () -> ErofsImage.open("damaged.img", MemorySegment.ofArray(all)),
        0x456,
        "without --blobdev",
        "device_table: 1 more device");
  }

  @ParameterizedTest
  @CsvSource({
    "0x0c, 8, 2^9..2^16",
    "0x0c, 17, 2^9..2^16",
    "0x5a, 1, the size of others",
    "0x24, 255, blocks of 4096",
    "0x23, 255, less than 1000000000",
    "0x1f, 1, at most 2^54 seconds",
    "0x17, 1, at most 2^48 inodes",
    "0x0f, 255, an inode number",
    "0x2a, 255, an inode number"
  })
  void aFieldOfTheSuperblockOutOfItsRangeIsDamage(String field, int value, String expected) {
    image[SUPERBLOCK + Integer.decode(field)] = (byte) value;
    assertThatExceptionOfType(CorruptImageException.class)
        .isThrownBy(() -> open().root())
        .satisfies(damage -> assertThat(damage.expected()).contains(expected));
  }

  @Test
  void anImageThatIsShorterThanItSaysIsTruncated() {
    image = Arrays.copyOf(image, image.length - BLOCK);
    assertDamage(this::open, 0x424, "blocks of 4096 bytes", "it is truncated");
  }

  @Test
  void anUnknownLayoutIsDamage() {
    bytes.putShort(ROOT, (short) 0x0a);
    assertDamage(() -> open().root(), ROOT, "layouts 0..4", "0x000a");
    bytes.putShort(ROOT, (short) 0x20);
    assertDamage(() -> open().root(), ROOT, "layouts 0..4", "0x0020");
  }

  @Test
  void aNameIsNotSaidToBeMissingInADirectoryOutOfOrder() throws IOException {
    ErofsImage sound = open();
    assertThat(sound.find(sound.root(), FileName.of("missing"))).isEqualTo(-1);
    // The first name of the block of "chunks" and "hole".
    int name = directory() + BLOCK + bytes.getShort(directory() + BLOCK + 8);
    image[name] = 'z';
    assertThat(open().find(open().root(), FileName.of(".."))).isZero();
    for (String each : new String[] {"missing", "tail"}) {
      assertDamage(
          () -> open().find(open().root(), FileName.of(each)),
          directory() + BLOCK + ErofsLayout.DIRENT_SIZE,
          "names in order",
          "hole behind zhunks");
    }
    assertThatThrownBy(() -> open().list(open().root(), (each, number, type) -> true))
        .isInstanceOf(CorruptImageException.class);
  }

  @Test
  void twoEntriesOfOneNameAreDamage() {
    int block = directory() + 2 * BLOCK;
    image[block + bytes.getShort(block + 8)] = 't';
    System.arraycopy("tailp".getBytes(), 0, image, block + 24, 5);
    bytes.putShort(block + 12 + 8, (short) (24 + 4));
    System.arraycopy("tailtail".getBytes(), 0, image, block + 24, 8);
    image[block + 32] = 0;
    assertDamage(
        () -> open().list(open().root(), (name, number, type) -> true),
        block + 12,
        "names in order",
        "tail behind tail");
  }

  @ParameterizedTest
  @CsvSource({"0", "13", "4095", "24576"})
  void aNameOutsideItsBlockIsDamage(int offset) {
    bytes.putShort(directory() + ErofsLayout.D_NAMEOFF, (short) offset);
    assertThatExceptionOfType(CorruptImageException.class)
        .isThrownBy(() -> open().find(open().root(), FileName.of("missing")))
        .satisfies(
            damage -> assertThat(damage.offset()).isBetween((long) directory(), directory() + 60L));
  }

  @Test
  void anEntryForNoInodeIsDamage() {
    bytes.putLong(directory() + 12, 1 << 20);
    assertDamage(
        () -> open().list(open().root(), (name, number, type) -> true),
        directory() + 12,
        "the nid of an inode",
        "0x100000");
    assertDamage(
        () -> open().find(open().root(), FileName.of("..")),
        directory() + 12,
        "the nid of an inode",
        "0x100000");
  }

  @Test
  void blocksOutsideTheImageAreDamage() throws IOException {
    int at = offset("plain");
    bytes.putInt(at + ErofsLayout.I_U, image.length / BLOCK - 1);
    assertDamage(() -> read("plain"), at, "2 blocks of inode", "from number");
  }

  @Test
  void aTailThatCrossesABlockIsDamage() throws IOException {
    int at = offset("tail");
    bytes.putInt(at + ErofsLayout.I_SIZE, 8192 + 4095);
    assertDamage(() -> read("tail"), at + 32, "4095 bytes", "a block that ends");
  }

  @Test
  void aChunkOutsideTheImageIsDamage() throws IOException {
    int at = offset("chunks");
    bytes.putInt(at + 32 + 16 + ErofsLayout.C_STARTBLK_LO, 1000);
    assertDamage(() -> read("chunks"), at + 48, "1 blocks of inode", "from number 1000");
  }

  @Test
  void moreChunksThanTheImageHasRoomForAreDamage() throws IOException {
    int at = offset("chunks");
    bytes.putInt(at + ErofsLayout.I_SIZE, -1);
    assertDamage(() -> read("chunks"), at + ErofsLayout.I_SIZE, "chunks that", "1048576 chunks");
  }

  @Test
  void attributesBehindTheImageAreDamage() throws IOException {
    int at = offset("hole");
    bytes.putShort(at + ErofsLayout.I_XATTR_ICOUNT, (short) -1);
    assertDamage(
        () -> open().extendedAttributes(inode("hole")), at + 32, "extended attributes", "a file");
    bytes.putShort(at + ErofsLayout.I_XATTR_ICOUNT, (short) 1);
    assertDamage(
        () -> open().extendedAttributes(inode("hole")), at + 32, "numbers of shared ones", "0");
  }
}
