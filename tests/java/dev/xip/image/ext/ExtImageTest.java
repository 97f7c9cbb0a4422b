package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.image.BlockMap;
import dev.xip.image.Extent;
import dev.xip.image.FileContent;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.image.Verdict;
import dev.xip.testing.Images;
import dev.xip.testing.Processes;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The reader reads what mke2fs and debugfs make, in each of the forms that ext2 has. */
class ExtImageTest {
  @TempDir Path folder;
  private Arena arena;
  private Path tree;

  @BeforeEach
  void makeTree() throws IOException {
    arena = Arena.ofShared();
    tree = Trees.small(folder.resolve("tree"));
  }

  @AfterEach
  void unmap() {
    arena.close();
  }

  private ExtImage packed(String... options) throws IOException {
    Path image = folder.resolve("packed.img");
    return Images.open(
        Images.ext2(tree, image, options.length == 0 ? new String[] {"-b", "4096"} : options),
        arena);
  }

  private ExtImage changed(String... commands) throws IOException {
    Path image = Images.ext2(tree);
    Images.debugfsWrite(image, commands);
    return Images.open(image, arena);
  }

  private static Inode inode(ExtImage image, String path) throws IOException {
    return PathResolver.resolve(image, path, false);
  }

  private static String text(ExtImage image, String path) throws IOException {
    FileContent content = FileContent.of(image, inode(image, path));
    byte[] bytes = new byte[(int) content.size()];
    assertThat(content.read(0, MemorySegment.ofArray(bytes))).isEqualTo(content.size());
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static List<String> names(ExtImage image, Inode directory) throws IOException {
    List<String> names = new ArrayList<>();
    image.list(directory, (name, number, type) -> names.add(name.toString()));
    return names;
  }

  @Test
  void theSuperblockSaysWhatDumpe2fsSays() throws IOException {
    ExtImage image = packed("-b", "4096", "-L", "sixteen letters!");
    String theirs = Processes.run("dumpe2fs", "-h", image.name()).out();
    assertThat(image.info().label()).isEqualTo("sixteen letters!");
    assertThat(theirs)
        .containsPattern("Filesystem UUID: +" + image.info().uuid() + "\n")
        .containsPattern(
            "Filesystem features: +" + String.join(" ", image.info().features()) + "\n")
        .containsPattern("\nBlock count: +" + image.info().blocks() + "\n")
        .containsPattern("\nFree blocks: +" + image.info().freeBlocks() + "\n")
        .containsPattern("\nInode count: +" + image.info().inodes() + "\n")
        .containsPattern("\nFree inodes: +" + image.info().freeInodes() + "\n");
  }

  @Test
  void revisionZeroWithSmallInodesIsRead() throws IOException {
    ExtImage image = packed("-b", "4096", "-r", "0");
    assertThat(image.info().features()).isEmpty();
    assertThat(text(image, "hello.txt")).isEqualTo("hello\n");
  }

  @Test
  void withoutFileTypesEntriesDoNotSayTheirType() throws IOException {
    ExtImage image = packed("-b", "4096", "-O", "^filetype");
    List<FileType> types = new ArrayList<>();
    image.list(image.root(), (name, number, type) -> types.add(type));
    assertThat(types).isNotEmpty().containsOnly(FileType.UNKNOWN);
    assertThat(text(image, "sub/deeper/below")).hasSizeGreaterThan(50);
  }

  @Test
  void aHashedDirectoryIsListedAndSearched() throws IOException {
    Path crowd = Files.createDirectory(tree.resolve("crowd"));
    for (int i = 0; i < 1000; i++) {
      Files.createFile(crowd.resolve("some-long-name-to-fill-blocks-" + i));
    }
    Path file = Images.ext2(tree);
    // -D builds the index; an exit code of 1 would say that more was changed.
    assertThat(Processes.runAny("e2fsck", "-fyD", file.toString()).exit()).isIn(0, 1);
    assertThat(Images.debugfs(file, List.of("stat /crowd"))).contains("Flags: 0x1000");
    ExtImage image = Images.open(file, arena);
    assertThat(names(image, inode(image, "crowd"))).hasSize(1002);
    assertThat(inode(image, "crowd/some-long-name-to-fill-blocks-999").size()).isZero();
  }

  @Test
  void ownersHaveThirtyTwoBits() throws IOException {
    ExtImage image =
        changed("set_inode_field hello.txt uid 4294967294", "set_inode_field hello.txt gid 70000");
    assertThat(inode(image, "hello.txt").uid()).isEqualTo(4_294_967_294L);
    assertThat(inode(image, "hello.txt").gid()).isEqualTo(70_000);
  }

  @Test
  void timesBeforeNineteenSeventyAreNegative() throws IOException {
    ExtImage image = changed("set_inode_field hello.txt mtime_lo 0xfffffffe");
    assertThat(inode(image, "hello.txt").modified()).isEqualTo("1969-12-31T23:59:58Z");
  }

  @Test
  void theExtraFieldAddsEpochsAndNanoseconds() throws IOException {
    ExtImage image =
        changed(
            "set_inode_field hello.txt ctime_lo 0x80000000",
            "set_inode_field hello.txt ctime_extra 0xee6b27fd");
    assertThat(inode(image, "hello.txt").changed())
        .isEqualTo(Instant.ofEpochSecond(Integer.MIN_VALUE + (1L << 32), 999_999_999));
  }

  @Test
  void smallInodesHaveNoExtraField() throws IOException {
    Path file = Images.ext2(tree, folder.resolve("small.img"), "-b", "4096", "-I", "128");
    Images.debugfsWrite(file, "set_inode_field hello.txt atime_lo 0x80000000");
    ExtImage image = Images.open(file, arena);
    assertThat(inode(image, "hello.txt").accessed())
        .isEqualTo(Instant.ofEpochSecond(Integer.MIN_VALUE));
  }

  @Test
  void anExtraFieldThatTheInodeDoesNotClaimIsNotRead() throws IOException {
    ExtImage image =
        changed(
            "set_inode_field hello.txt mtime_lo 7",
            "set_inode_field hello.txt mtime_extra 0xffffffff",
            "set_inode_field hello.txt extra_isize 8");
    assertThat(inode(image, "hello.txt").modified()).isEqualTo(Instant.ofEpochSecond(7));
  }

  @Test
  void deviceNumbersAreReadInBothEncodings() throws IOException {
    ExtImage image =
        changed(
            "mknod old c 4 64",
            "set_inode_field old mode 020600",
            "mknod new b 300 65535",
            "set_inode_field new mode 060600");
    assertThat(inode(image, "old"))
        .returns(FileType.CHARACTER_DEVICE, Inode::type)
        .returns(4, Inode::deviceMajor)
        .returns(64, Inode::deviceMinor);
    assertThat(inode(image, "new"))
        .returns(FileType.BLOCK_DEVICE, Inode::type)
        .returns(300, Inode::deviceMajor)
        .returns(65535, Inode::deviceMinor);
  }

  @Test
  void aFastLinkMayHaveABlockOfAttributes() throws IOException {
    Path file = Images.ext2(tree, folder.resolve("small.img"), "-b", "4096", "-I", "128");
    Images.debugfsWrite(file, "ea_set link trusted.note text");
    ExtImage image = Images.open(file, arena);
    assertThat(inode(image, "link").sectors()).isEqualTo(8);
    assertThat(image.readLink(inode(image, "link"))).hasToString("sub/deeper/below");
  }

  @Test
  void theLongestFastLinkAndTheShortestSlowOneAreRead() throws IOException {
    Files.createSymbolicLink(tree.resolve("fast"), Path.of("f".repeat(59)));
    Files.createSymbolicLink(tree.resolve("slow"), Path.of("s".repeat(60)));
    ExtImage image = packed();
    assertThat(inode(image, "fast").sectors()).isZero();
    assertThat(image.readLink(inode(image, "fast"))).hasToString("f".repeat(59));
    assertThat(inode(image, "slow").sectors()).isEqualTo(8);
    assertThat(image.readLink(inode(image, "slow"))).hasToString("s".repeat(60));
  }

  @Test
  void theBlockMapIsWhatDebugfsSaysItIs() throws IOException {
    Path file = Images.ext2(tree);
    ExtImage image = Images.open(file, arena);
    BlockMap map = image.blockMap(inode(image, "holes"));
    assertThat(map.verdict()).isEqualTo(Verdict.IN_PLACE);
    StringBuilder ours = new StringBuilder();
    List<String> questions = new ArrayList<>();
    for (long block = 0; block < 1300; block++) {
      questions.add("bmap holes " + block);
      long at = map.imageOffset(block * 4096);
      ours.append("debugfs: bmap holes %d\n%d\n".formatted(block, at < 0 ? 0 : at / 4096));
    }
    assertThat(Images.debugfs(file, questions)).isEqualTo(ours.toString());
  }

  @Test
  void aHugeFileCountsItsBlocksInFortyEightBits() throws IOException {
    Path file = Images.ext("ext4", tree, folder.resolve("huge.img"), "-b", "4096");
    Images.debugfsWrite(
        file,
        "set_inode_field hello.txt blocks_lo 0x80000001",
        "set_inode_field hello.txt blocks_hi 0x1234",
        "set_inode_field two-pages blocks_lo 0x80000001",
        "set_inode_field two-pages blocks_hi 0x1234",
        "set_inode_field two-pages flags 0xc0000");
    ExtImage image = Images.open(file, arena);
    assertThat(inode(image, "hello.txt").sectors()).isEqualTo(0x1234_8000_0001L);
    assertThat(inode(image, "two-pages").sectors()).isEqualTo(0x1234_8000_0001L * 8);
  }

  @Test
  void withoutTheFeatureHigherBitsOfBlocksAreNotRead() throws IOException {
    ExtImage image =
        changed("set_inode_field hello.txt blocks_hi 1", "set_inode_field hello.txt flags 0x40000");
    assertThat(inode(image, "hello.txt").sectors()).isEqualTo(8);
  }

  @Test
  void equalBlocksMayBeSharedIfTheFeatureSaysSo() throws IOException {
    Path file = Images.ext2(tree);
    int block = Integer.parseInt(lastLine(Images.debugfs(file, List.of("bmap two-pages 0"))));
    Images.debugfsWrite(
        file,
        "set_super_value feature_ro_compat 0x4003",
        "set_inode_field two-pages block[1] " + block,
        "set_inode_field hello.txt block[0] " + block);
    ExtImage image = Images.open(file, arena);
    assertThat(image.info().features()).contains("shared_blocks");
    assertThat(image.info().format()).isEqualTo("ext4");
    BlockMap map = image.blockMap(inode(image, "two-pages"));
    assertThat(map.imageOffset(0)).isEqualTo(block * 4096L).isEqualTo(map.imageOffset(4096));
    assertThat(image.blockMap(inode(image, "hello.txt")).imageOffset(0)).isEqualTo(block * 4096L);
  }

  private static String lastLine(String text) {
    return text.lines().toList().getLast();
  }

  @Test
  void neighbouringBlocksAreOneExtent() throws IOException {
    Trees.write(tree.resolve("aligned"), 0, 10 * 4096, new Random(2));
    ExtImage image = packed();
    BlockMap map = image.blockMap(inode(image, "aligned"));
    assertThat(map.extentCount()).isEqualTo(1);
    assertThat(map.extent(0)).returns(0L, Extent::fileOffset).returns(40_960L, Extent::length);
  }

  @Test
  void blocksPastTheEndOfAFileAreNotItsBytes() throws IOException {
    ExtImage image = changed("set_inode_field two-pages size 5");
    assertThat(image.blockMap(inode(image, "two-pages")).alignedBytes(1)).isEqualTo(4096);
  }
}
