package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.xip.base.Crc32c;
import dev.xip.base.FileName;
import dev.xip.image.CorruptImageException;
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
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** In directories that e2fsck has indexed, each name is found through one leaf, or damage is. */
class HashedDirectoryTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final String PLAIN = "none,filetype,sparse_super,dir_index,large_file";
  private static final List<String> FUNCTIONS = List.of("legacy", "half_md4", "tea");
  private static final int FILES = 50;
  private static final int FIRST_FILE = 12;

  @TempDir static Path folder;

  @BeforeAll
  static void needE2fsck() {
    Judge.program("e2fsck");
    System.err.println("HashedDirectoryTest: -Dxip.seed=" + SEED);
  }

  /** A form of image, the hash function, how many names, and the levels of the index. */
  record Form(String features, int block, int function, boolean unsigned, int names, int levels) {}

  static Stream<Form> forms() {
    return Stream.of(
        new Form(PLAIN, 4096, 0, false, 900, 1),
        new Form(PLAIN, 4096, 0, true, 900, 1),
        new Form(PLAIN, 4096, 1, false, 900, 1),
        new Form(PLAIN, 1024, 1, true, 900, 2),
        new Form(PLAIN + ",metadata_csum,extent", 1024, 2, false, 3000, 2),
        new Form(PLAIN + ",metadata_csum,extent,64bit", 4096, 2, true, 900, 1),
        new Form(PLAIN + ",metadata_csum", 65536, 1, false, 5000, 1),
        new Form(PLAIN + ",metadata_csum,extent,large_dir", 1024, 1, false, 66_000, 3));
  }

  private record Crowd(byte[] bytes, List<FileName> names) {
    ExtImage open() throws IOException {
      return ExtImage.open("crowd.img", MemorySegment.ofArray(bytes));
    }

    Inode directory(ExtImage image) throws IOException {
      return PathResolver.resolve(image, "crowd", true);
    }

    long find(FileName name) throws IOException {
      ExtImage image = open();
      return image.find(directory(image), name);
    }

    ByteBuffer buffer() {
      return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    List<Long> blocks() throws IOException {
      ExtImage image = open();
      Inode directory = directory(image);
      List<Long> blocks = new ArrayList<>();
      for (long at = 0; at < directory.size(); at += image.info().blockSize()) {
        blocks.add(image.blockMap(directory).imageOffset(at));
      }
      return blocks;
    }

    Crowd copy() {
      return new Crowd(bytes.clone(), names);
    }
  }

  /** Names of many lengths, some with bytes above 0x7f, for which signed and unsigned differ. */
  private static List<FileName> names(int count) {
    List<FileName> names = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int padding = count > 10_000 ? 46 : i % 50;
      names.add(
          FileName.of("%s%d%s".formatted(i % 3 == 0 ? "é" : "n", i, "-long".repeat(padding))));
    }
    return names;
  }

  /** Writes the entries as a file, which debugfs makes a directory and e2fsck gives an index. */
  private static Crowd crowd(Form form) throws IOException {
    Path tree = Files.createTempDirectory(folder, "tree");
    for (int i = 0; i < FILES; i++) {
      Files.createFile(tree.resolve("file" + i));
    }
    List<FileName> names = names(form.names);
    Files.write(tree.resolve("crowd"), entries(names, form.block));
    Path file = tree.resolveSibling(tree.getFileName() + ".img");
    Images.ext2(tree, file, "-b", "" + form.block, "-I", "256", "-N", "2000", "-O", form.features);
    List<String> commands = new ArrayList<>(List.of("set_inode_field crowd mode 040755"));
    commands.add("set_super_value def_hash_version " + FUNCTIONS.get(form.function));
    commands.add("set_super_value flags " + (form.unsigned ? 2 : 1));
    Images.debugfsWrite(file, commands.toArray(String[]::new));
    assertThat(Processes.runAny("e2fsck", "-fyD", file.toString()).exit()).isIn(0, 1);
    Processes.run("e2fsck", "-fn", file.toString());
    Crowd crowd = new Crowd(Files.readAllBytes(file), names);
    long root = crowd.blocks().getFirst();
    assertThat(crowd.bytes[(int) root + HashTreeLayout.INDIRECT_LEVELS] + 1).isEqualTo(form.levels);
    assertThat(crowd.bytes[(int) root + HashTreeLayout.HASH_VERSION])
        .isEqualTo((byte) form.function);
    return crowd;
  }

  private static byte[] entries(List<FileName> names, int block) {
    List<FileName> all = new ArrayList<>(List.of(FileName.of("."), FileName.of("..")));
    all.addAll(names);
    List<byte[]> blocks = new ArrayList<>();
    ByteBuffer current = null;
    int last = 0;
    for (int i = 0; i < all.size(); i++) {
      byte[] name = all.get(i).bytes();
      int length = 8 + name.length + 3 & ~3;
      // Room for a tail, which e2fsck adds.
      if (current == null || current.remaining() < length + 12) {
        if (current != null) {
          current.putShort(last + 4, (short) (block - last));
        }
        current = ByteBuffer.allocate(block).order(ByteOrder.LITTLE_ENDIAN);
        blocks.add(current.array());
      }
      last = current.position();
      current.putInt(i < 2 ? 2 : inode(i - 2)).putShort((short) length);
      current.put((byte) name.length).put((byte) (i < 2 ? 2 : 1)).put(name);
      current.position(last + length);
    }
    current.putShort(last + 4, (short) (block - last));
    ByteBuffer joined = ByteBuffer.allocate(blocks.size() * block);
    blocks.forEach(joined::put);
    return joined.array();
  }

  private static int inode(int name) {
    return FIRST_FILE + 1 + name % (FILES - 2);
  }

  @ParameterizedTest
  @MethodSource("forms")
  void everyNameIsFoundAndListedAndNoOther(Form form) throws IOException {
    Crowd crowd = crowd(form);
    ExtImage image = crowd.open();
    Inode directory = crowd.directory(image);
    Map<FileName, Long> listed = new LinkedHashMap<>();
    image.list(directory, (name, inode, type) -> listed.put(name, inode) == null);
    assertThat(listed).hasSize(form.names + 2);
    ExtImage fresh = crowd.open();
    for (int i = 0; i < form.names; i++) {
      FileName name = crowd.names.get(i);
      // A directory that was not used yet, and one that has an index of all names after a while.
      long first = i % 100 == 0 ? crowd.find(name) : fresh.find(directory, name);
      assertThat(first).isEqualTo(inode(i)).isEqualTo(listed.get(name));
      assertThat(i % 10 > 0 ? -1 : crowd.find(FileName.of("not-" + name))).isEqualTo(-1);
    }
    for (FileName dots : List.of(FileName.of("."), FileName.of(".."))) {
      assertThat(crowd.find(dots)).isEqualTo(listed.get(dots)).isPositive();
    }
    // Longest names first, or a search for a prefix might be right by chance.
    assertThat(crowd.find(FileName.of("n1-lon"))).isEqualTo(-1);
  }

  @Test
  void aFirstLookUpReadsOneLeafAndNoOther() throws IOException {
    Crowd crowd = crowd(new Form(PLAIN, 4096, 1, false, 3000, 1));
    for (int i = 0; i < crowd.names.size(); i += 500) {
      Crowd emptied = crowd.copy();
      byte[] wanted = crowd.names.get(i).bytes();
      List<Long> blocks = crowd.blocks();
      for (long block : blocks.subList(1, blocks.size())) {
        String text = new String(crowd.bytes, (int) block, 4096, StandardCharsets.ISO_8859_1);
        if (!text.contains(new String(wanted, StandardCharsets.ISO_8859_1))) {
          Arrays.fill(emptied.bytes, (int) block, (int) block + 4096, (byte) 0xff);
        }
      }
      assertThat(emptied.find(crowd.names.get(i))).isEqualTo(inode(i));
    }
  }

  @Test
  void directoriesThatTheKernelHashedAreSearchedAndListed() throws IOException {
    Judge.loopMount();
    for (String features : List.of("", ",metadata_csum,inline_data,64bit", ",large_dir")) {
      Path tree = Files.createTempDirectory(folder, "kernel");
      Path file = tree.resolveSibling(tree.getFileName() + ".img");
      Images.ext2(
          tree, file, "-b", "1024", "-I", "256", "-N", "4000", "-O", PLAIN + ",extent" + features);
      List<FileName> names = names(1500);
      Images.recovered(
          file,
          "rw",
          root -> {
            Path crowd = Files.createDirectory(root.resolve("crowd"));
            for (FileName name : names) {
              Files.createFile(crowd.resolve(name.toString()));
            }
            for (int i = 0; i < names.size(); i += 3) {
              Files.delete(crowd.resolve(names.get(i).toString()));
            }
          });
      Crowd crowd = new Crowd(Files.readAllBytes(file), names);
      ExtImage image = crowd.open();
      Inode directory = crowd.directory(image);
      assertThat(directory.flags() & ExtLayout.INDEX_FL).isNotZero();
      Map<FileName, Long> listed = new LinkedHashMap<>();
      image.list(directory, (name, inode, type) -> listed.put(name, inode) == null);
      assertThat(listed).hasSize(1002);
      for (int i = 0; i < names.size(); i++) {
        long found = image.find(directory, names.get(i));
        assertThat(found).isEqualTo(i % 3 == 0 ? -1 : listed.get(names.get(i)));
      }
    }
  }

  /** Numbers in the index, with their widths. */
  private static List<int[]> fields(Crowd crowd, int entries) throws IOException {
    List<int[]> fields = new ArrayList<>();
    int root = Math.toIntExact(crowd.blocks().getFirst());
    for (int at = 0; at < 24; at += 2) {
      fields.add(new int[] {root + at, 2});
    }
    for (int at = 24; at < 32; at++) {
      fields.add(new int[] {root + at, 1});
    }
    fields.add(new int[] {root + 32, 2});
    fields.add(new int[] {root + 34, 2});
    for (int i = 1; i < 2 * entries; i++) {
      fields.add(new int[] {root + 32 + 4 * i, 4});
    }
    return fields;
  }

  @Test
  void aDamagedIndexIsAnErrorAndNeverAWrongAnswer() throws IOException {
    damageEverything(crowd(new Form(PLAIN, 4096, 1, false, 500, 1)), false);
  }

  @Test
  void aDamagedIndexWithRightChecksumsIsAnErrorToo() throws IOException {
    String features = PLAIN + ",metadata_csum";
    damageEverything(crowd(new Form(features, 4096, 2, false, 500, 1)), true);
  }

  private static void damageEverything(Crowd crowd, boolean checksums) throws IOException {
    Random random = new Random(SEED);
    int entries = crowd.blocks().size() - 1;
    List<FileName> some = new ArrayList<>(crowd.names);
    Collections.shuffle(some, random);
    int refused = 0;
    for (int[] field : fields(crowd, entries)) {
      for (int round = 0; round < 4; round++) {
        Crowd damaged = crowd.copy();
        change(damaged.buffer(), field, random, round, entries);
        if (checksums) {
          putRight(damaged);
        }
        refused += refusals(damaged, some.subList(0, 60), "0x%x".formatted(field[0]));
      }
    }
    assertThat(refused).isGreaterThan(1000);
  }

  private static void change(ByteBuffer bytes, int[] field, Random random, int round, int entries) {
    int was =
        field[1] == 1
            ? bytes.get(field[0])
            : field[1] == 2 ? bytes.getShort(field[0]) : bytes.getInt(field[0]);
    int value =
        switch (round) {
          case 0 -> was + 1;
          case 1 -> was - 1;
          case 2 -> was ^ 1 << random.nextInt(8 * field[1]);
          default -> random.nextInt(entries + 2);
        };
    switch (field[1]) {
      case 1 -> bytes.put(field[0], (byte) value);
      case 2 -> bytes.putShort(field[0], (short) value);
      default -> bytes.putInt(field[0], value);
    }
  }

  /** Computes the checksum of the root again. */
  private static void putRight(Crowd crowd) throws IOException {
    ByteBuffer bytes = crowd.buffer();
    ExtImage image = ExtImage.open("crowd.img", MemorySegment.ofArray(crowd.bytes));
    Inode directory = PathResolver.resolve(image, "crowd", true);
    int root = Math.toIntExact(image.blockMap(directory).imageOffset(0));
    int limit = bytes.getShort(root + 32) & 0xffff;
    int count = bytes.getShort(root + 34) & 0xffff;
    int tail = 32 + 8 * limit;
    if (tail + 8 > 4096 || 8 * count > 4096) {
      return;
    }
    byte[] uuid = new byte[16];
    bytes.get(1024 + ExtLayout.S_UUID, uuid);
    int seed = Crc32c.ofNumber(Crc32c.of(~0, uuid), directory.number(), 4);
    int generation = bytes.getInt((int) directory.offset() + ExtLayout.I_GENERATION);
    seed = Crc32c.ofNumber(seed, generation, 4);
    byte[] covered = new byte[32 + 8 * count];
    bytes.get(root, covered);
    int sum = Crc32c.ofNumber(Crc32c.of(seed, covered), bytes.getInt(root + tail), 4);
    bytes.putInt(root + tail + 4, Crc32c.ofNumber(sum, 0, 4));
  }

  private static int refusals(Crowd damaged, List<FileName> names, String told) throws IOException {
    ExtImage image = damaged.open();
    Inode directory = damaged.directory(image);
    int refused = 0;
    for (FileName name : names) {
      try {
        assertThat(image.find(directory, name))
            .as("%s with damage at %s", name, told)
            .isEqualTo(inode(damaged.names.indexOf(name)));
      } catch (CorruptImageException damage) {
        refused++;
      }
    }
    return refused;
  }

  @Test
  void wrongChecksumsOfLeavesAndNodesAreRefused() throws IOException {
    Crowd crowd = crowd(new Form(PLAIN + ",metadata_csum", 1024, 1, false, 3000, 2));
    List<Long> blocks = crowd.blocks();
    int checked = 0;
    for (int number = 0; number < blocks.size(); number += 7) {
      Crowd damaged = crowd.copy();
      int block = Math.toIntExact(blocks.get(number));
      // The last byte of an entry, a name or what is between them; or what no entry uses.
      int at = block + (number == 0 ? 40 : 16);
      damaged.bytes[at] ^= 1;
      ExtImage image = damaged.open();
      Inode directory = damaged.directory(image);
      assertThatExceptionOfType(CorruptImageException.class)
          .isThrownBy(() -> image.list(directory, (name, inode, type) -> true))
          .satisfies(e -> assertThat(e.offset()).isBetween((long) block, block + 1023L))
          .satisfies(e -> assertThat(e.expected()).contains("the checksum"));
      checked++;
    }
    assertThat(checked).isGreaterThan(10);
  }

  @Test
  void aNameInTheWrongLeafIsFoundWhenTheDirectoryIsListed() throws IOException {
    Crowd crowd = crowd(new Form(PLAIN, 4096, 1, false, 500, 1));
    int leaf = Math.toIntExact(crowd.blocks().get(1));
    // All names of the leaf, as one may belong there by chance.
    for (int at = leaf; at < leaf + 4096; at += crowd.buffer().getShort(at + ExtLayout.D_REC_LEN)) {
      crowd.bytes[at + ExtLayout.D_NAME] ^= 0x10;
    }
    ExtImage image = crowd.open();
    assertThatExceptionOfType(CorruptImageException.class)
        .isThrownBy(() -> image.list(crowd.directory(image), (name, inode, type) -> true))
        .withMessageContaining("expected names of hashes")
        .satisfies(e -> assertThat(e.offset()).isBetween((long) leaf, leaf + 4095L));
  }
}
