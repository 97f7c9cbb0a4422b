package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.xip.base.FileName;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Extended attributes that debugfs set are read, and damage in them is reported. */
class AttributesTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());

  /** Owner, named user 1234, group, named group 70000, mask and others, as getxattr(2) has it. */
  private static final String ACL =
      "02000000"
          + "01000600ffffffff"
          + "02000700d2040000"
          + "04000400ffffffff"
          + "0800060070110100"
          + "10000700ffffffff"
          + "20000400ffffffff";

  /** Where the attributes of an inode begin that uses 32 bytes for further fields. */
  private static final int IN_INODE = 160;

  private static final int FIRST = IN_INODE + 4;

  @TempDir static Path folder;
  private static byte[] sound;

  private byte[] image;
  private ByteBuffer bytes;
  private int inode;
  private int block;

  @BeforeAll
  static void setAttributes() throws IOException {
    Judge.program("debugfs");
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.writeString(tree.resolve("many"), "x");
    Files.writeString(tree.resolve("few"), "x");
    Files.writeString(tree.resolve("none"), "x");
    Files.createSymbolicLink(tree.resolve("link"), Path.of("few"));
    Path acl = Files.write(folder.resolve("acl"), HexFormat.of().parseHex(ACL));
    Path file = Images.ext2(tree);
    Images.debugfsWrite(
        file,
        "ea_set few user.a b",
        "ea_set few user.other value",
        "ea_set link trusted.on link",
        "ea_set many user.long " + "v".repeat(3000),
        "ea_set many security.label text",
        "ea_set many trusted.t " + "t".repeat(100),
        "ea_set -f \"%s\" many system.posix_acl_access".formatted(acl),
        "ea_set / user.root yes");
    sound = Files.readAllBytes(file);
  }

  @BeforeEach
  void copyTheSoundImage() throws IOException {
    image = sound.clone();
    bytes = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
    inode = (int) inode("few").offset();
    block = bytes.getInt((int) inode("many").offset() + ExtLayout.I_FILE_ACL) * 4096;
  }

  private ExtImage open() throws IOException {
    return ExtImage.open("damaged.img", MemorySegment.ofArray(image));
  }

  private Inode inode(String path) throws IOException {
    return PathResolver.resolve(open(), path, false);
  }

  private SortedMap<FileName, String> attributes(String path) throws IOException {
    SortedMap<FileName, String> shown = new TreeMap<>();
    open()
        .extendedAttributes(inode(path))
        .forEach((name, value) -> shown.put(name, HexFormat.of().formatHex(value)));
    return shown;
  }

  private static String hex(String text) {
    return HexFormat.of().formatHex(text.getBytes(StandardCharsets.US_ASCII));
  }

  @Test
  void attributesInInodesAndInBlocksAreRead() throws IOException {
    assertThat(attributes("none")).isEmpty();
    assertThat(attributes("few"))
        .containsEntry(FileName.of("user.a"), hex("b"))
        .containsEntry(FileName.of("user.other"), hex("value"))
        .hasSize(2);
    assertThat(attributes("link")).containsOnlyKeys(FileName.of("trusted.on"));
    assertThat(attributes("/")).containsOnlyKeys(FileName.of("user.root"));
    assertThat(attributes("many"))
        .containsEntry(FileName.of("user.long"), hex("v".repeat(3000)))
        .containsEntry(FileName.of("security.label"), hex("text"))
        .containsEntry(FileName.of("trusted.t"), hex("t".repeat(100)))
        .hasSize(4);
  }

  @Test
  void anAccessListHasTheFormOfTheSystemCalls() throws IOException {
    assertThat(attributes("many")).containsEntry(FileName.of("system.posix_acl_access"), ACL);
    byte[] list = HexFormat.of().parseHex(ACL);
    assertThat(PosixAcl.toDisk(list)).hasSize(4 + 4 * 4 + 2 * 8);
  }

  private void assertDamage(String path, long offset, String expected, String found) {
    DamagedImage.assertDamage(() -> attributes(path), offset, expected, found);
  }

  @Test
  void aBlockOfAttributesOutsideTheImageIsRefused() throws IOException {
    int field = (int) inode("many").offset() + ExtLayout.I_FILE_ACL;
    for (int number : new int[] {1, image.length / 4096, -1}) {
      bytes.putInt(field, number);
      assertDamage("many", field, "in blocks 2..", "block " + Integer.toUnsignedString(number));
    }
  }

  @Test
  void aBlockThatIsNoneOfAttributesIsRefused() {
    bytes.putInt(block, 0xea010000);
    assertDamage("many", block, "the magic 0xea020000", "0xea010000");
    bytes.putInt(block, 0xea020000);
    bytes.putInt(block + AttributeLayout.H_BLOCKS, 2);
    assertDamage("many", block + AttributeLayout.H_BLOCKS, "in 1 block", "in 2");
  }

  @Test
  void namesOfAnUnknownKindAreNotListed() throws IOException {
    bytes.put(inode + FIRST + AttributeLayout.E_NAME_INDEX, (byte) 11);
    assertThat(attributes("few")).containsOnlyKeys(FileName.of("user.other"));
  }

  @Test
  void damagedEntriesAreRefused() {
    int at = inode + FIRST;
    damage(at + AttributeLayout.E_VALUE_INUM, 12, "a value beside its name", "inode 12");
    damage(at + AttributeLayout.E_NAME, 0, at, "a name without a zero byte", "1 bytes");
    damage(at + AttributeLayout.E_VALUE_OFFS, 4, "a value in", "1 bytes");
    damage(at + AttributeLayout.E_VALUE_SIZE + 3, 0x7f, at + 2, "a value in", "2130706433 bytes");
    int second = at + 20;
    damage(second + AttributeLayout.E_NAME_LEN, 200, at, "that ends before", "no end");
    bytes.put(second + AttributeLayout.E_NAME_LEN, (byte) 1);
    bytes.put(second + AttributeLayout.E_NAME, (byte) 'a');
    bytes.putInt(second + 20, 0);
    assertDamage("few", second, "each attribute once", "another user.a");
  }

  private void damage(int at, int value, String expected, String found) {
    damage(at, value, at, expected, found);
  }

  private void damage(int at, int value, int told, String expected, String found) {
    byte was = bytes.get(at);
    bytes.put(at, (byte) value);
    assertDamage("few", told, expected, found);
    bytes.put(at, was);
  }

  @Test
  void anAccessListWithoutAnEntryIsNone() throws IOException {
    int many = (int) inode("many").offset() + FIRST;
    int entry = entry(many, AttributePrefix.ACL_ACCESS);
    if (entry < 0) {
      entry = entry(block + AttributeLayout.BLOCK_HEADER_SIZE, AttributePrefix.ACL_ACCESS);
    }
    bytes.putInt(entry + AttributeLayout.E_VALUE_SIZE, 4);
    assertThat(attributes("many"))
        .containsOnlyKeys(
            FileName.of("security.label"), FileName.of("trusted.t"), FileName.of("user.long"));
  }

  @Test
  void aDamagedAccessListIsRefused() throws IOException {
    int many = (int) inode("many").offset() + FIRST;
    int entry = entry(many, AttributePrefix.ACL_ACCESS);
    int base = many;
    if (entry < 0) {
      entry = entry(block + AttributeLayout.BLOCK_HEADER_SIZE, AttributePrefix.ACL_ACCESS);
      base = block;
    }
    int list = base + bytes.getShort(entry + AttributeLayout.E_VALUE_OFFS);
    bytes.putInt(list, 2);
    assertDamage("many", list, "version 1", "version 2");
    bytes.putInt(list, 1);
    bytes.putShort(list + 4, (short) 3);
    assertDamage("many", list + 4, "a whole entry of a POSIX ACL", "tag 0x3");
    bytes.putShort(list + 4, (short) 1);
    bytes.putInt(entry + AttributeLayout.E_VALUE_SIZE, 10);
    assertDamage("many", list + 8, "a whole entry of a POSIX ACL", "2 bytes");
  }

  private int entry(int first, AttributePrefix prefix) {
    int at = first;
    while (bytes.get(at + AttributeLayout.E_NAME_INDEX) != prefix.number()) {
      if (bytes.getInt(at) == 0) {
        return -1;
      }
      at += AttributeLayout.E_NAME + (bytes.get(at) + 3 & ~3);
    }
    return at;
  }

  @Test
  void onlyIoExceptionsComeOutOfDamagedAttributes() throws IOException {
    System.err.println("AttributesTest: -Dxip.seed=" + SEED);
    Random random = new Random(SEED);
    int refused = 0;
    for (int round = 0; round < 20_000; round++) {
      boolean many = random.nextBoolean();
      int[] flipped =
          random
              .ints(
                  1 + random.nextInt(4),
                  many ? block : inode + 128,
                  many ? block + 180 : inode + 256)
              .toArray();
      for (int each : flipped) {
        image[each] = (byte) random.nextInt(256);
      }
      try {
        attributes(many ? "many" : "few");
      } catch (IOException damage) {
        refused++;
      } catch (RuntimeException | Error bug) {
        fail("round %d of seed %d".formatted(round, SEED), bug);
      }
      for (int each : flipped) {
        image[each] = sound[each];
      }
    }
    assertThat(refused).isBetween(1_000, 19_900);
  }
}
