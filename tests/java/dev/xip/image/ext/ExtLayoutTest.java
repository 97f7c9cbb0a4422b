package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Images;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every offset is where debugfs writes the field of that name. */
class ExtLayoutTest {
  @TempDir Path folder;

  /** A field, its name in debugfs, its offset and size in bytes. */
  private record Field(String name, int offset, int size) {
    /** A value that no neighbour has, and that fits. */
    long value() {
      long pattern = 0x1122_3344L + offset * 0x0101_0101L;
      return size == 2 ? pattern & 0x7fff : pattern & 0x7fff_ffffL;
    }
  }

  @Test
  void superblockFieldsLieWhereDebugfsWritesThem() throws IOException {
    List<Field> fields =
        List.of(
            new Field("free_blocks_count", ExtLayout.S_FREE_BLOCKS_COUNT, 4),
            new Field("free_inodes_count", ExtLayout.S_FREE_INODES_COUNT, 4),
            new Field("first_ino", ExtLayout.S_FIRST_INO, 4),
            new Field("inode_size", ExtLayout.S_INODE_SIZE, 2),
            new Field("feature_compat", ExtLayout.S_FEATURE_COMPAT, 4),
            new Field("feature_ro_compat", ExtLayout.S_FEATURE_RO_COMPAT, 4),
            new Field("feature_incompat", ExtLayout.S_FEATURE_INCOMPAT, 4),
            new Field("inodes_per_group", ExtLayout.S_INODES_PER_GROUP, 4),
            new Field("blocks_per_group", ExtLayout.S_BLOCKS_PER_GROUP, 4),
            new Field("first_data_block", ExtLayout.S_FIRST_DATA_BLOCK, 4),
            new Field("log_block_size", ExtLayout.S_LOG_BLOCK_SIZE, 4),
            new Field("rev_level", ExtLayout.S_REV_LEVEL, 4),
            new Field("inodes_count", ExtLayout.S_INODES_COUNT, 4),
            new Field("blocks_count", ExtLayout.S_BLOCKS_COUNT, 4));
    for (Field field : fields) {
      Path image = image(field.name);
      write(image, "set_super_value", List.of(field));
      assertWritten(image, ExtLayout.SUPERBLOCK_OFFSET, List.of(field));
    }
  }

  @Test
  void magicLabelAndUuidLieWhereMke2fsWritesThem() throws IOException {
    Path image = image("named");
    Images.debugfsWrite(
        image,
        "set_super_value volume_name fourteen-bytes",
        "set_super_value uuid 00112233-4455-6677-8899-aabbccddeeff");
    ByteBuffer bytes = superblock(image);
    byte[] label = new byte[ExtLayout.VOLUME_NAME_LENGTH];
    bytes.get(ExtLayout.S_VOLUME_NAME, label);
    assertThat(new String(label, StandardCharsets.US_ASCII)).isEqualTo("fourteen-bytes\0\0");
    byte[] uuid = new byte[16];
    bytes.get(ExtLayout.S_UUID, uuid);
    assertThat(uuid).startsWith(0x00, 0x11, 0x22, 0x33, 0x44).endsWith(0xdd, 0xee, 0xff);
    assertThat(bytes.getShort(ExtLayout.S_MAGIC) & 0xffff).isEqualTo(ExtLayout.MAGIC);
  }

  @Test
  void inodeFieldsLieWhereDebugfsWritesThem() throws IOException {
    List<Field> fields =
        Stream.concat(
                Stream.of(
                    new Field("mode", ExtLayout.I_MODE, 2),
                    new Field("uid_lo", ExtLayout.I_UID, 2),
                    new Field("uid_hi", ExtLayout.I_UID_HIGH, 2),
                    new Field("gid_lo", ExtLayout.I_GID, 2),
                    new Field("gid_hi", ExtLayout.I_GID_HIGH, 2),
                    new Field("size_lo", ExtLayout.I_SIZE, 4),
                    new Field("size_hi", ExtLayout.I_SIZE_HIGH, 4),
                    new Field("links_count", ExtLayout.I_LINKS_COUNT, 2),
                    new Field("blocks_lo", ExtLayout.I_BLOCKS, 4),
                    new Field("flags", ExtLayout.I_FLAGS, 4),
                    new Field("file_acl_lo", ExtLayout.I_FILE_ACL, 4),
                    new Field("extra_isize", ExtLayout.I_EXTRA_ISIZE, 2),
                    new Field("ctime_extra", ExtLayout.I_CTIME_EXTRA, 4),
                    new Field("mtime_extra", ExtLayout.I_MTIME_EXTRA, 4),
                    new Field("atime_extra", ExtLayout.I_ATIME_EXTRA, 4),
                    new Field("block[0]", ExtLayout.I_BLOCK, 4),
                    new Field("block[IND]", pointer(ExtLayout.DIRECT_BLOCKS), 4),
                    new Field("block[DIND]", pointer(ExtLayout.DIRECT_BLOCKS + 1), 4),
                    new Field("block[TIND]", pointer(ExtLayout.DIRECT_BLOCKS + 2), 4)),
                Stream.of(
                    new Field("atime_lo", ExtLayout.I_ATIME, 4),
                    new Field("ctime_lo", ExtLayout.I_CTIME, 4),
                    new Field("mtime_lo", ExtLayout.I_MTIME, 4),
                    new Field("dtime", ExtLayout.I_DTIME, 4)))
            .toList();
    Path image = image("inode");
    long at = inodeOffset(image);
    write(image, "set_inode_field <12>", fields);
    assertWritten(image, at, fields);
    assertThat(ExtLayout.I_BLOCK + ExtLayout.I_BLOCK_SIZE)
        .isEqualTo(pointer(ExtLayout.DIRECT_BLOCKS + ExtLayout.MAX_DEPTH));
  }

  @Test
  void theInodeTableOfAGroupLiesWhereDebugfsWritesIt() throws IOException {
    Path image = image("group");
    Images.debugfsWrite(image, "set_block_group 0 inode_table 0x123");
    assertThat(bytes(image).getInt(4096 + ExtLayout.BG_INODE_TABLE)).isEqualTo(0x123);
  }

  private Path image(String name) throws IOException {
    Path tree = Files.createDirectories(folder.resolve(name.replaceAll("\\W", "")));
    Files.writeString(tree.resolve("file"), "text");
    return Images.ext2(tree);
  }

  private static int pointer(int index) {
    return ExtLayout.I_BLOCK + index * ExtLayout.POINTER_SIZE;
  }

  private static long inodeOffset(Path image) throws IOException {
    try (Arena arena = Arena.ofShared()) {
      return Images.open(image, arena).inode(12).offset();
    }
  }

  private static void write(Path image, String command, List<Field> fields) throws IOException {
    Images.debugfsWrite(
        image,
        fields.stream()
            .map(
                field ->
                    "%s %s %s0x%x"
                        .formatted(
                            command,
                            field.name,
                            field.name.equals("dtime") ? "@" : "",
                            field.value()))
            .toArray(String[]::new));
  }

  private static void assertWritten(Path image, long base, List<Field> fields) throws IOException {
    ByteBuffer bytes = bytes(image);
    for (Field field : fields) {
      int at = (int) base + field.offset;
      assertThat(field.size == 2 ? bytes.getShort(at) : bytes.getInt(at))
          .as(field.name)
          .isEqualTo((int) field.value());
    }
  }

  private static ByteBuffer superblock(Path image) throws IOException {
    return bytes(image)
        .slice((int) ExtLayout.SUPERBLOCK_OFFSET, ExtLayout.SUPERBLOCK_SIZE)
        .order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Only the start: with counts made up, debugfs writes backups far past the end. */
  private static ByteBuffer bytes(Path image) throws IOException {
    try (InputStream in = Files.newInputStream(image)) {
      return ByteBuffer.wrap(in.readNBytes(1 << 20)).order(ByteOrder.LITTLE_ENDIAN);
    }
  }
}
