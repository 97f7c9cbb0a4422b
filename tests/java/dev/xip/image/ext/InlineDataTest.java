package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.FileName;
import dev.xip.image.BlockMap;
import dev.xip.image.FileContent;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.image.TreeWalk;
import dev.xip.image.Verdict;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files, directories and links that lie inside their inodes are read, and damage is reported. */
class InlineDataTest {
  private static final int[] SIZES = {0, 1, 59, 60, 61, 100, 150, 156, 160, 500, 900, 5000};

  @TempDir static Path folder;
  private static Arena arena;
  private static Path tree;
  private static final List<Path> IMAGES = new ArrayList<>();

  @BeforeAll
  static void packATree() throws IOException {
    arena = Arena.ofShared();
    tree = Files.createDirectory(folder.resolve("tree"));
    Random random = new Random(1);
    for (int size : SIZES) {
      byte[] bytes = new byte[size];
      random.nextBytes(bytes);
      Files.write(tree.resolve("file" + size), bytes);
      if (size > 0 && size < 1000) {
        Files.createSymbolicLink(tree.resolve("link" + size), Path.of("l".repeat(size)));
      }
    }
    for (int count : new int[] {0, 1, 3, 4, 7, 20, 300}) {
      Path directory = Files.createDirectory(tree.resolve("dir" + count));
      for (int i = 0; i < count; i++) {
        Files.writeString(directory.resolve("name" + i), "file " + i);
      }
    }
    for (String inodeSize : List.of("256", "512", "1024")) {
      for (String block : List.of("1024", "4096")) {
        Path file = folder.resolve("inline-%s-%s.img".formatted(inodeSize, block));
        String features = "inline_data,extent,metadata_csum,dir_index";
        Images.ext2(tree, file, "-b", block, "-I", inodeSize, "-O", features);
        Processes.run("e2fsck", "-fn", file.toString());
        IMAGES.add(file);
      }
    }
  }

  @AfterAll
  static void unmap() {
    arena.close();
  }

  @Test
  void filesLinksAndDirectoriesAreWhatWasPacked() throws IOException {
    for (Path file : IMAGES) {
      assertSame(Images.open(file, arena), tree);
    }
  }

  @Test
  void theKernelSaysTheSame() throws IOException {
    Judge.loopMount();
    for (Path file : IMAGES) {
      Images.mounted(file, "ext4", root -> assertSame(Images.open(file, arena), root));
    }
  }

  private static void assertSame(ExtImage image, Path root) throws IOException {
    Set<String> seen = new TreeSet<>();
    TreeWalk.walk(
        image,
        image.root(),
        (walk, inode) -> {
          String path = walk.path().toString();
          if (path.startsWith("lost+found")) {
            return;
          }
          seen.add(path);
          assertThat(PathResolver.resolve(image, "/" + path, false)).isEqualTo(inode);
          Path theirs = root.resolve(path);
          switch (inode.type()) {
            case REGULAR -> {
              byte[] ours = new byte[(int) inode.size()];
              FileContent.of(image, inode).read(0, MemorySegment.ofArray(ours));
              assertThat(ours).as(path).isEqualTo(Files.readAllBytes(theirs));
            }
            case SYMLINK ->
                assertThat(image.readLink(inode))
                    .hasToString(Files.readSymbolicLink(theirs).toString());
            default -> assertParent(image, inode, path);
          }
        });
    try (Stream<Path> all = Files.walk(root)) {
      List<String> expected =
          all.map(each -> root.relativize(each).toString())
              .filter(each -> !each.startsWith("lost+found"))
              .toList();
      assertThat(seen).containsExactlyInAnyOrderElementsOf(expected);
    }
  }

  private static void assertParent(ExtImage image, Inode directory, String path)
      throws IOException {
    assertThat(directory.type()).isEqualTo(FileType.DIRECTORY);
    assertThat(image.find(directory, FileName.of("."))).isEqualTo(directory.number());
    Path parent = Path.of("/" + path).getParent();
    long expected = PathResolver.resolve(image, parent == null ? "/" : "" + parent, false).number();
    assertThat(image.find(directory, FileName.of(".."))).isEqualTo(expected);
    List<FileName> listed = new ArrayList<>();
    image.list(directory, (name, inode, type) -> listed.add(name));
    assertThat(listed).startsWith(FileName.of("."), FileName.of(".."));
    assertThat(image.find(directory, FileName.of("not there"))).isEqualTo(-1);
  }

  @Test
  void theVerdictSaysThatTheBytesLieInTheInode() throws IOException {
    ExtImage image = Images.open(IMAGES.getFirst(), arena);
    BlockMap map = image.blockMap(PathResolver.resolve(image, "file100", false));
    assertThat(map.verdict()).isEqualTo(Verdict.INLINE);
    assertThat(map.extentCount()).isEqualTo(2);
    assertThat(map.extent(0).length()).isEqualTo(60);
    assertThat(map.extent(1).length()).isEqualTo(40);
    BlockMap empty = image.blockMap(PathResolver.resolve(image, "file0", false));
    assertThat(empty.verdict()).isEqualTo(Verdict.IN_PLACE);
  }

  /** An image without checksums, to be damaged. */
  private static byte[] plain() throws IOException {
    Path file = folder.resolve("plain.img");
    if (!Files.exists(file)) {
      Images.ext2(tree, file, "-b", "4096", "-I", "256", "-O", "inline_data");
    }
    return Files.readAllBytes(file);
  }

  private static ExtImage open(byte[] image) throws IOException {
    return ExtImage.open("damaged.img", MemorySegment.ofArray(image));
  }

  private static Inode inode(byte[] image, String path) throws IOException {
    return PathResolver.resolve(open(image), path, false);
  }

  @Test
  void aFileLargerThanItsInodeHoldsIsRefused() throws IOException {
    byte[] image = plain();
    int size = (int) inode(image, "file100").offset() + ExtLayout.I_SIZE;
    image[size] = (byte) 200;
    DamagedImage.assertDamage(
        () -> open(image).blockMap(inode(image, "file100")),
        size,
        "at most 100 bytes inside inode",
        "200");
    DamagedImage.assertDamage(
        () -> {
          int link = (int) inode(image, "link100").offset() + ExtLayout.I_SIZE;
          image[link + 1] = 1;
          open(image).readLink(inode(image, "link100"));
        },
        inode(image, "link100").offset() + ExtLayout.I_SIZE,
        "at most 100 bytes inside inode",
        "356");
  }

  @Test
  void aFileOfMke2fsThatIsOneHoleReadsAsZeros() throws IOException {
    Path holes = Files.createDirectory(folder.resolve("holes"));
    try (RandomAccessFile hole = new RandomAccessFile(holes.resolve("hole").toFile(), "rw")) {
      hole.setLength(100_000);
    }
    byte[] image =
        Files.readAllBytes(
            Images.ext("ext4", holes, folder.resolve("holes.img"), "-O", "inline_data"));
    Inode hole = inode(image, "hole");
    assertThat(hole.flags() & ExtLayout.INLINE_DATA_FL).isNotZero();
    byte[] read = new byte[100_000];
    assertThat(FileContent.of(open(image), hole).read(0, MemorySegment.ofArray(read)))
        .isEqualTo(read.length);
    assertThat(read).containsOnly(0);
  }

  @Test
  void inlineDataWithoutItsAttributeAreRefused() throws IOException {
    byte[] image = plain();
    int at = (int) inode(image, "file100").offset();
    Arrays.fill(image, at + 160, at + 256, (byte) 0);
    DamagedImage.assertDamage(
        () -> open(image).blockMap(inode(image, "file100")),
        at + ExtLayout.I_FLAGS,
        "the attribute system.data",
        "no such attribute");
  }

  @Test
  void aFlagWithoutTheFeatureIsRefused() throws IOException {
    byte[] image = plain();
    int feature = 1024 + ExtLayout.S_FEATURE_INCOMPAT + 1;
    image[feature] &= 0x7f;
    DamagedImage.assertDamage(
        () -> inode(image, "file100"),
        inode(plain(), "file100").offset() + ExtLayout.I_FLAGS,
        "no flag 0x10000000",
        "0x10");
  }

  @Test
  void damagedEntriesInAnInodeAreRefused() throws IOException {
    byte[] image = plain();
    ByteBuffer bytes = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
    Inode directory = inode(image, "dir3");
    int parent = (int) directory.offset() + ExtLayout.I_BLOCK;
    bytes.putShort(parent + 4 + ExtLayout.D_REC_LEN, (short) 60);
    DamagedImage.assertDamage(
        () -> open(image).find(directory, FileName.of("x")),
        parent + 4 + ExtLayout.D_REC_LEN,
        "a directory entry of 12..56 bytes",
        "one of 60");
    bytes.putInt(parent, 0);
    DamagedImage.assertDamage(
        () -> open(image).find(directory, FileName.of("..")), parent, "an inode number", "0");
    bytes.putInt(parent, -1);
    DamagedImage.assertDamage(
        () -> open(image).list(directory, (name, inode, type) -> true),
        parent,
        "an inode number of",
        "4294967295");
  }
}
