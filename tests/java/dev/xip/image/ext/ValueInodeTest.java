package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.FileName;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Attributes in inodes of their own and in blocks with checksums are read, damage is reported. */
class ValueInodeTest {
  private static final int LARGE = 4096;

  @TempDir static Path folder;
  private static Path file;
  private static Path summed;
  private static byte[] sound;

  private byte[] image;
  private ByteBuffer bytes;

  @BeforeAll
  static void setAttributes() throws IOException {
    Judge.program("debugfs");
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.writeString(tree.resolve("large"), "x");
    Files.writeString(tree.resolve("both"), "x");
    Files.createSymbolicLink(tree.resolve("link"), Path.of("large"));
    file = pack(tree, "plain.img", "ea_inode,^metadata_csum");
    summed = pack(tree, "summed.img", "ea_inode,extent,64bit,metadata_csum");
    sound = Files.readAllBytes(file);
  }

  private static Path pack(Path tree, String name, String features) throws IOException {
    Path image = tree.resolveSibling(name);
    Images.ext2(tree, image, "-b", "4096", "-I", "256", "-O", features);
    Path large = Files.writeString(folder.resolve("value"), "v".repeat(LARGE));
    Path block = Files.writeString(folder.resolve("block"), "b".repeat(1500));
    List<String> commands = new ArrayList<>();
    for (String each : List.of("large", "both")) {
      commands.add("ea_set -f \"%s\" %s user.large".formatted(large, each));
    }
    commands.add("ea_set -f \"%s\" both user.block".formatted(block));
    commands.add("ea_set both user.small tiny");
    commands.add("ea_set both trusted.t text");
    commands.add("ea_set both system.hidden text");
    commands.add("ea_set link trusted.link text");
    Images.debugfsWrite(image, commands.toArray(String[]::new));
    // The library of debugfs counts blocks that e2fsck does not.
    assertThat(Processes.runAny("e2fsck", "-fy", image.toString()).exit()).isIn(0, 1);
    Processes.run("e2fsck", "-fn", image.toString());
    return image;
  }

  @BeforeEach
  void copyTheSoundImage() {
    image = sound.clone();
    bytes = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static ExtImage open(byte[] image) throws IOException {
    return ExtImage.open("damaged.img", MemorySegment.ofArray(image));
  }

  private static SortedMap<FileName, byte[]> attributes(byte[] image, String path)
      throws IOException {
    return open(image).extendedAttributes(inode(image, path));
  }

  private static Inode inode(byte[] image, String path) throws IOException {
    return PathResolver.resolve(open(image), path, false);
  }

  @Test
  void allAttributesThatTheKernelListsAreRead() throws IOException {
    for (Path each : List.of(file, summed)) {
      byte[] read = Files.readAllBytes(each);
      assertThat(attributes(read, "large"))
          .containsOnlyKeys(FileName.of("user.large"))
          .containsEntry(
              FileName.of("user.large"), "v".repeat(LARGE).getBytes(StandardCharsets.US_ASCII));
      assertThat(attributes(read, "both").keySet())
          .map(FileName::toString)
          .containsExactly("trusted.t", "user.block", "user.large", "user.small");
    }
  }

  @Test
  void theKernelListsTheSame() throws IOException {
    Judge.loopMount();
    Judge.program("getfattr");
    for (Path each : List.of(file, summed)) {
      byte[] read = Files.readAllBytes(each);
      Images.mounted(
          each,
          "ext4",
          root -> {
            for (String path : List.of("large", "both", "link")) {
              assertThat(shown(attributes(read, path))).isEqualTo(theirs(root.resolve(path)));
            }
          });
    }
  }

  @Test
  void aValueOfManyBlocksThatTheKernelWroteIsRead() throws IOException {
    Judge.loopMount();
    Judge.program("setfattr");
    Path copy = Files.copy(summed, folder.resolve("written.img"));
    String value = "0x" + "5a0f".repeat(15_000);
    Images.recovered(
        copy,
        "rw",
        root ->
            Processes.run(
                "setfattr", "-n", "user.wide", "-v", value, root.resolve("large").toString()));
    assertThat(shown(attributes(Files.readAllBytes(copy), "large")))
        .containsEntry("user.wide", value)
        .hasSize(2);
  }

  private static Map<String, String> shown(SortedMap<FileName, byte[]> attributes) {
    Map<String, String> shown = new TreeMap<>();
    attributes.forEach(
        (name, value) -> shown.put(name.toString(), "0x" + HexFormat.of().formatHex(value)));
    return shown;
  }

  private static Map<String, String> theirs(Path path) throws IOException {
    Map<String, String> theirs = new TreeMap<>();
    Processes.run("getfattr", "-h", "-d", "-m", "-", "-e", "hex", path.toString())
        .out()
        .lines()
        .filter(line -> line.contains("="))
        .map(line -> line.split("=", 2))
        .forEach(pair -> theirs.put(pair[0], pair[1]));
    return theirs;
  }

  /** Where the entry of the attribute lies whose value is an inode. */
  private int entry() throws IOException {
    int inode = (int) inode(sound, "large").offset();
    for (int at = inode + 164; ; at += 4) {
      if (bytes.get(at) == 5 && bytes.get(at + 1) == 1 && bytes.getInt(at + 4) != 0) {
        return at;
      }
    }
  }

  private int value() throws IOException {
    int number = bytes.getInt(entry() + AttributeLayout.E_VALUE_INUM);
    // Numbers follow each other in one table.
    int distance = number - (int) inode(sound, "large").number();
    return (int) inode(sound, "large").offset() + distance * 256;
  }

  private void assertDamage(long offset, String expected, String found) {
    DamagedImage.assertDamage(() -> attributes(image, "large"), offset, expected, found);
  }

  @Test
  void aChangedValueIsRefused() throws IOException {
    int block = bytes.getInt(value() + ExtLayout.I_BLOCK) * 4096;
    image[block + 17] ^= 1;
    assertDamage(value() + ExtLayout.I_ATIME, "the checksum", "0x");
  }

  @Test
  void aValueOfAnotherNameIsRefused() throws IOException {
    image[entry() + AttributeLayout.E_NAME] = 'x';
    assertDamage(entry() + AttributeLayout.E_HASH, "the hash", "0x");
  }

  @Test
  void otherInodesAreNoValues() throws IOException {
    int field = entry() + AttributeLayout.E_VALUE_INUM;
    int owner = (int) inode(sound, "large").number();
    for (int number : new int[] {owner, 2}) {
      bytes.putInt(field, number);
      assertDamage(field, "an inode of its own", "inode " + number);
    }
    bytes.putInt(field, (int) inode(sound, "both").number());
    assertDamage(
        inode(sound, "both").offset() + ExtLayout.I_FLAGS, "the value of an attribute", "type -");
  }

  @Test
  void sizesOfValueAndEntryAgree() throws IOException {
    int field = entry() + AttributeLayout.E_VALUE_SIZE;
    bytes.putInt(field, LARGE - 1);
    assertDamage(field, "the 4096 bytes", "4095");
    bytes.putInt(field, 1 << 20);
    bytes.putInt(value() + ExtLayout.I_SIZE, 1 << 20);
    assertDamage(field, "at most 65536", "1048576");
  }

  @Test
  void aHoleInAValueIsRefused() throws IOException {
    bytes.putInt(value() + ExtLayout.I_BLOCK, 0);
    assertDamage(value() + ExtLayout.I_BLOCK, "a block for byte 0x0", "a hole");
  }

  @Test
  void aValueWithAttributesIsRefused() throws IOException {
    bytes.putInt(value() + ExtLayout.I_FILE_ACL, 100);
    assertDamage(value(), "no attributes", "attributes");
  }

  @Test
  void aValueIsNoFile() throws IOException {
    int number = bytes.getInt(entry() + AttributeLayout.E_VALUE_INUM);
    DamagedImage.assertDamage(
        () -> open(image).inode(number),
        value() + ExtLayout.I_FLAGS,
        "a file as inode " + number,
        "the value of an attribute");
  }

  @Test
  void withoutTheFeatureAValueLiesBesideItsName() throws IOException {
    image[1024 + ExtLayout.S_FEATURE_INCOMPAT + 1] &= ~4;
    assertDamage(entry() + AttributeLayout.E_VALUE_INUM, "a value beside its name", "one in inode");
  }

  @Test
  void aValueOfLustreIsKnownByItsOwner() throws IOException {
    int owner = (int) inode(sound, "large").offset();
    bytes.putInt(value() + ExtLayout.I_ATIME, 7);
    bytes.putInt(value() + ExtLayout.I_MTIME, (int) inode(sound, "large").number());
    bytes.putInt(value() + ExtLayout.I_GENERATION, bytes.getInt(owner + ExtLayout.I_GENERATION));
    assertThat(attributes(image, "large")).hasSize(1);
  }

  @Test
  void aBlockOfAttributesWithAWrongChecksumIsRefused() throws IOException {
    byte[] read = Files.readAllBytes(summed);
    ByteBuffer all = ByteBuffer.wrap(read).order(ByteOrder.LITTLE_ENDIAN);
    int block = all.getInt((int) inode(read, "both").offset() + ExtLayout.I_FILE_ACL) * 4096;
    read[block + 4000] ^= 1;
    DamagedImage.assertDamage(
        () -> attributes(read, "both"), block + AttributeLayout.H_CHECKSUM, "the checksum", "0x");
  }
}
