package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.xip.base.FileName;
import dev.xip.image.FileContent;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.image.Verdict;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Encrypted files are refused by name; encrypted names and links are shown as the kernel does. */
class HiddenNamesTest {
  private static final Random RANDOM = new Random(7);

  @TempDir static Path folder;
  private static Path file;
  private static byte[] sound;

  @BeforeAll
  static void packATree() throws IOException {
    Judge.program("debugfs");
    Path tree = Files.createDirectory(folder.resolve("tree"));
    for (String directory : List.of("one", "indexed", "linear")) {
      Path made = Files.createDirectory(tree.resolve(directory));
      int count = directory.equals("one") ? 12 : 100;
      for (int i = 0; i < count; i++) {
        String name = "%016d".formatted(i) + "x".repeat(i * 20 % 230);
        Files.writeString(made.resolve(name), name);
      }
    }
    Files.writeString(tree.resolve("secret"), "secret");
    Files.writeString(tree.resolve("sealed"), "sealed");
    Files.createSymbolicLink(tree.resolve("link"), Path.of("t".repeat(19)));
    file = folder.resolve("hidden.img");
    Images.ext2(
        tree, file, "-b", "4096", "-I", "256", "-O", "encrypt,dir_index,^metadata_csum,verity");
    assertThat(Processes.runAny("e2fsck", "-fyD", file.toString()).exit()).isIn(0, 1);
    sound = Files.readAllBytes(file);
    for (String name : List.of("one", "indexed", "linear", "secret", "link")) {
      encrypt(name);
    }
    Inode sealed = inode("sealed");
    buffer()
        .putInt(
            (int) sealed.offset() + ExtLayout.I_FLAGS,
            (int) (sealed.flags() | ExtLayout.VERITY_FL));
    Inode linear = inode("linear");
    buffer()
        .putInt(
            (int) linear.offset() + ExtLayout.I_FLAGS,
            (int) (linear.flags() & ~ExtLayout.INDEX_FL));
    int link = (int) inode("link").offset() + ExtLayout.I_BLOCK;
    byte[] target = new byte[16];
    RANDOM.nextBytes(target);
    buffer().putShort(link, (short) 16).put(link + 2, target).put(link + 18, (byte) 0);
    Files.write(file, sound);
  }

  private static ByteBuffer buffer() {
    return ByteBuffer.wrap(sound).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static ExtImage open() throws IOException {
    return ExtImage.open("hidden.img", MemorySegment.ofArray(sound));
  }

  private static Inode inode(String path) throws IOException {
    return PathResolver.resolve(open(), path, false);
  }

  /** Sets the flag and an attribute that tells how the kernel encrypted the inode. */
  private static void encrypt(String path) throws IOException {
    Inode inode = inode(path);
    int at = (int) inode.offset();
    ByteBuffer bytes = buffer();
    bytes.putInt(at + ExtLayout.I_FLAGS, (int) (inode.flags() | ExtLayout.ENCRYPT_FL));
    byte[] context = new byte[28];
    RANDOM.nextBytes(context);
    System.arraycopy(new byte[] {1, 1, 4, 0}, 0, context, 0, 4);
    int entry = at + 164;
    bytes.putInt(at + 160, 0xea02_0000);
    bytes.put(entry, (byte) 1).put(entry + 1, (byte) AttributePrefix.ENCRYPTION.number());
    bytes.putShort(entry + 2, (short) (256 - 164 - 28)).putInt(entry + 8, 28);
    bytes.put(entry + 16, (byte) 'c').put(at + 256 - 28, context);
  }

  private static Map<FileName, Long> listed(ExtImage image, Inode directory) throws IOException {
    Map<FileName, Long> listed = new LinkedHashMap<>();
    image.list(directory, (name, inode, type) -> listed.put(name, inode) == null);
    return listed;
  }

  @Test
  void namesAreShownAsTheKernelShowsThem() throws IOException {
    Judge.loopMount();
    Images.mounted(
        file,
        "ext4",
        root -> {
          for (String path : List.of("one", "indexed", "linear")) {
            List<String> theirs = new ArrayList<>(List.of(".", ".."));
            try (Stream<Path> names = Files.list(root.resolve(path))) {
              names.forEach(name -> theirs.add(name.getFileName().toString()));
            }
            assertThat(listed(open(), inode(path)).keySet())
                .map(FileName::toString)
                .as(path)
                .containsExactlyInAnyOrderElementsOf(theirs);
          }
        });
  }

  @Test
  void aTargetIsShownAsTheKernelShowsIt() throws IOException {
    Judge.loopMount();
    String ours = open().readLink(inode("link")).toString();
    assertThat(ours).hasSize(32).startsWith("A".repeat(10));
    Images.mounted(
        file,
        "ext4",
        root ->
            assertThat(Files.readSymbolicLink(root.resolve("link")).toString()).isEqualTo(ours));
  }

  @Test
  void everyNameThatIsShownIsFound() throws IOException {
    assertThat(inode("indexed").flags() & ExtLayout.INDEX_FL).isNotZero();
    for (String path : List.of("one", "indexed", "linear")) {
      ExtImage image = open();
      Inode directory = inode(path);
      Map<FileName, Long> listed = listed(image, directory);
      assertThat(listed).hasSize(path.equals("one") ? 14 : 102);
      for (Map.Entry<FileName, Long> each : listed.entrySet()) {
        assertThat(image.find(directory, each.getKey())).isEqualTo(each.getValue());
      }
      assertThat(image.find(directory, FileName.of("%016d".formatted(0)))).isEqualTo(-1);
    }
  }

  @Test
  void contentsAreRefusedWithAReason() throws IOException {
    assertThat(open().blockMap(inode("secret")).verdict()).isEqualTo(Verdict.ENCRYPTED);
    assertThat(open().blockMap(inode("sealed")).verdict()).isEqualTo(Verdict.VERITY);
    for (String[] each : new String[][] {{"secret", "encrypted"}, {"sealed", "fs-verity"}}) {
      assertThatExceptionOfType(FileSystemException.class)
          .isThrownBy(() -> FileContent.of(open(), inode(each[0])))
          .withMessageContaining("cannot be read: ")
          .withMessageContaining(each[1]);
    }
  }

  @Test
  void howAFileIsEncryptedIsNotListed() throws IOException {
    assertThat(open().extendedAttributes(inode("secret"))).isEmpty();
  }

  @Test
  void whatCannotBeEncryptedIsRefused() throws IOException {
    byte[] before = sound.clone();
    try {
      Inode link = inode("link");
      int at = (int) link.offset() + ExtLayout.I_BLOCK;
      buffer().putShort(at, (short) 18);
      assertRefused("link", at, "an encrypted target of 1..17 bytes", "one of 18");
      buffer().putShort(at, (short) 15);
      assertRefused("link", at, "at least 16 bytes", "one of 15");
      Inode one = inode("one");
      int entry = (int) open().blockMap(one).imageOffset(0) + 24;
      sound[entry + ExtLayout.D_NAME_LEN] = 15;
      assertRefused("one", entry + ExtLayout.D_NAME, "at least 16 bytes", "one of 15");
    } finally {
      sound = before;
    }
  }

  /** A directory of encrypted names that take no notice of case, with the index of e2fsck. */
  private static byte[] foldedCrowd(int count) throws IOException {
    Path tree = Files.createTempDirectory(folder, "folded");
    Files.writeString(tree.resolve("file"), "secret");
    ByteBuffer entries = ByteBuffer.allocate((count / 60 + 1) * 4096);
    entries.order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      int place = i % 60;
      int at = i / 60 * 4096 + place * 60;
      boolean last = place == 59 || i == count - 1;
      byte[] name = new byte[32];
      RANDOM.nextBytes(name);
      entries.putInt(at, 12).putShort(at + 4, (short) (last ? 4096 - place * 60 : 60));
      entries.put(at + 6, (byte) 32).put(at + 7, (byte) 1).put(at + 8, name);
      entries.putInt(at + 40, RANDOM.nextInt() & ~1).putInt(at + 44, RANDOM.nextInt());
      if (i < 2) {
        entries
            .putInt(at, 2)
            .put(at + 6, (byte) (i + 1))
            .put(at + 7, (byte) 2)
            .putShort(at + 8, (short) 0x2e2e);
      }
    }
    Files.write(tree.resolve("zcrowd"), entries.array());
    Path image = tree.resolveSibling(tree.getFileName() + ".img");
    String features = "encrypt,casefold,dir_index,^metadata_csum";
    Images.ext2(tree, image, "-b", "4096", "-I", "256", "-E", "encoding=utf8", "-O", features);
    byte[] before = sound;
    sound = Files.readAllBytes(image);
    encrypt("file");
    encrypt("zcrowd");
    Inode crowd = inode("zcrowd");
    int at = (int) crowd.offset();
    buffer().putShort(at, (short) 040755);
    buffer().putInt(at + ExtLayout.I_FLAGS, (int) (crowd.flags() | ExtLayout.CASEFOLD_FL));
    System.arraycopy(sound, at + 228, sound, (int) inode("file").offset() + 228, 28);
    Files.write(image, sound);
    sound = before;
    Processes.Output checked = Processes.runAny("e2fsck", "-fyD", image.toString());
    assertThat(checked.exit()).as(checked.out()).isIn(0, 1);
    Processes.run("e2fsck", "-fn", image.toString());
    return Files.readAllBytes(image);
  }

  @Test
  void anIndexOfHashesThatEntriesHoldIsRead() throws IOException {
    byte[] bytes = foldedCrowd(600);
    ExtImage image = ExtImage.open("damaged.img", MemorySegment.ofArray(bytes));
    Inode crowd = PathResolver.resolve(image, "zcrowd", false);
    long root = image.blockMap(crowd).imageOffset(0);
    assertThat(bytes[(int) root + HashTreeLayout.HASH_VERSION])
        .isEqualTo((byte) HashTreeLayout.SIP);
    Map<FileName, Long> listed = listed(image, crowd);
    assertThat(listed).hasSize(600);
    for (Map.Entry<FileName, Long> each : listed.entrySet()) {
      assertThat(image.find(crowd, each.getKey())).isEqualTo(each.getValue());
    }
    int leaf = (int) image.blockMap(crowd).imageOffset(4096);
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(leaf + 40, -4);
    ExtImage damaged = ExtImage.open("damaged.img", MemorySegment.ofArray(bytes));
    DamagedImage.assertDamage(
        () -> listed(damaged, crowd), leaf, "names of hashes", "of hash 0xfffffffc");
    bytes[(int) root + HashTreeLayout.HASH_VERSION] = 1;
    ExtImage other = ExtImage.open("damaged.img", MemorySegment.ofArray(bytes));
    DamagedImage.assertDamage(
        () -> listed(other, crowd), root + HashTreeLayout.HASH_VERSION, "the hash function 6", "1");
  }

  private static void assertRefused(String path, long offset, String expected, String found) {
    DamagedImage.assertDamage(
        () -> {
          ExtImage image = ExtImage.open("damaged.img", MemorySegment.ofArray(sound));
          Inode inode = PathResolver.resolve(image, path, false);
          if (inode.type() == FileType.SYMLINK) {
            image.readLink(inode);
          } else {
            listed(image, inode);
          }
        },
        offset,
        expected,
        found);
  }
}
