package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.FileName;
import dev.xip.base.Pages;
import dev.xip.image.BlockMap;
import dev.xip.image.FileContent;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.image.TreeWalk;
import dev.xip.image.Verdict;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * One tree in each form that mke2fs makes, by block size and by feature, is what it was, lies where
 * debugfs says, and is what the kernel shows where it can mount the image.
 */
class ExtFormsTest {
  /** A line of blocks in debugfs: blocks of the file, a mark of unwritten ones, of the image. */
  private static final Pattern RUN =
      Pattern.compile("\\((\\d+)(?:-(\\d+))?(\\[u])?\\):(\\d+)(?:-(\\d+))?");

  @TempDir static Path folder;
  private static Path tree;

  @BeforeAll
  static void makeTheTree() throws IOException {
    tree = Trees.small(folder.resolve("tree"));
    Random random = new Random(5);
    // With 4 KiB blocks this is an extent tree of three levels, with larger ones of fewer.
    comb(tree.resolve("comb"), 1500, 4096, random);
    comb(tree.resolve("wide-comb"), 8, 1 << 16, random);
    Path crowd = Files.createDirectory(tree.resolve("crowd"));
    for (int i = 0; i < 300; i++) {
      Files.createLink(crowd.resolve("one-of-many-names-" + i), tree.resolve("hello.txt"));
    }
    for (int length : new int[] {59, 60, 1000}) {
      Files.createSymbolicLink(tree.resolve("to" + length), Path.of("t".repeat(length)));
    }
  }

  private static void comb(Path file, int teeth, int width, Random random) throws IOException {
    byte[] bytes = new byte[width];
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      for (int i = 0; i < teeth; i++) {
        random.nextBytes(bytes);
        out.seek((2L * i + 1) * width);
        out.write(bytes);
      }
    }
  }

  static Stream<String> forms() {
    List<String> forms = new ArrayList<>();
    for (int shift = 10; shift <= 16; shift++) {
      forms.add("ext4 -b " + (1 << shift));
      if (shift % 3 == 1) {
        forms.add("ext2 -b " + (1 << shift));
      }
    }
    for (String features :
        List.of(
            "^metadata_csum",
            "^64bit,^metadata_csum",
            "^has_journal,metadata_csum_seed",
            "uninit_bg,^metadata_csum",
            "uninit_bg,^metadata_csum,^64bit",
            "meta_bg,^resize_inode -g 256",
            "sparse_super2 -g 512",
            "^sparse_super,^resize_inode",
            "^flex_bg",
            "^extent,^64bit",
            "^extent,^64bit,^huge_file,^large_file",
            "^extra_isize -I 128",
            "^huge_file -I 1024",
            "bigalloc -C 16384",
            "bigalloc,^flex_bg -C 65536",
            "quota,project",
            "mmp",
            "large_dir",
            "stable_inodes,orphan_file",
            "verity,fast_commit",
            "^filetype,^dir_index,^ext_attr")) {
      forms.add("ext4 -b 4096 -O " + features);
    }
    forms.add("ext4 -b 1024 -O bigalloc -C 8192");
    forms.add("ext4 -b 1024 -O meta_bg,^resize_inode,uninit_bg,^metadata_csum -g 256");
    forms.add("ext3 -b 1024");
    forms.add("ext3 -b 4096");
    forms.add("ext2 -b 1024 -r 0");
    return forms.stream();
  }

  @ParameterizedTest
  @MethodSource("forms")
  void theTreeIsReadFromEveryForm(String form) throws IOException {
    String[] words = form.split(" ");
    Path file = folder.resolve("form.img");
    List<String> options = List.of(words).subList(1, words.length);
    Images.ext(words[0], tree, file, options.toArray(String[]::new));
    if (words[0].equals("ext4") && !form.contains("^extent")) {
      // Unwritten blocks in the middle of a file and behind its end.
      Images.debugfsWrite(file, "fallocate two-pages 40 79", "fallocate holes 16 63");
    }
    if (!form.contains("-I 128") && !form.contains("-r 0")) {
      // Nanoseconds, and the second epoch.
      Images.debugfsWrite(file, "set_inode_field hello.txt mtime_extra 0xee6b27fd");
    }
    if (form.contains("quota")) {
      // Of the files that it packs, mke2fs tells the quota files nothing.
      Processes.runAny("e2fsck", "-fy", file.toString());
    }
    Processes.run("e2fsck", "-fn", file.toString());
    try (Arena arena = Arena.ofShared()) {
      ExtImage image = Images.open(file, arena);
      assertSaysWhatOthersSay(image, file);
      Map<FileName, Inode> found = new TreeMap<>();
      TreeWalk.walk(image, image.root(), (walk, inode) -> found.put(walk.path(), inode));
      assertThat(found.remove(FileName.of("lost+found"))).isNotNull();
      assertIsTheTree(image, found);
      assertLiesWhereDebugfsSays(image, file, found);
      assertIsWhatTheKernelShows(image, file, found);
    } finally {
      Files.delete(file);
    }
  }

  private static void assertSaysWhatOthersSay(ExtImage image, Path file) throws IOException {
    String type = Processes.run("blkid", "-p", "-o", "value", "-s", "TYPE", file.toString()).out();
    String theirs = Processes.run("dumpe2fs", "-h", file.toString()).out();
    assertThat(image.info().format()).isEqualTo(type.strip());
    String features = String.join(" ", image.info().features());
    assertThat(theirs)
        .contains(features.isEmpty() ? "(none)" : " " + features + "\n")
        .containsPattern("\nBlock count: +" + image.info().blocks() + "\n")
        .containsPattern("\nFree blocks: +" + image.info().freeBlocks() + "\n")
        .containsPattern("\nBlock size: +" + image.info().blockSize() + "\n")
        .containsPattern("\nInode count: +" + image.info().inodes() + "\n")
        .containsPattern("\nFree inodes: +" + image.info().freeInodes() + "\n");
  }

  private static void assertIsTheTree(ExtImage image, Map<FileName, Inode> found)
      throws IOException {
    int names = 0;
    try (Stream<Path> all = Files.walk(tree)) {
      for (Path path : (Iterable<Path>) all::iterator) {
        names++;
        Inode inode = found.get(FileName.of(tree.relativize(path).toString()));
        assertThat(inode).as("%s", path).isNotNull();
        if (Files.isSymbolicLink(path)) {
          assertThat(image.readLink(inode)).hasToString(Files.readSymbolicLink(path).toString());
        } else if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
          assertThat(bytes(image, inode)).isEqualTo(Files.readAllBytes(path));
          boolean mappable = image.info().blockSize() >= Pages.SIZE || inode.size() == 0;
          assertThat(image.blockMap(inode).verdict())
              .isEqualTo(mappable ? Verdict.IN_PLACE : Verdict.SMALL_BLOCKS);
        }
      }
    }
    assertThat(found).hasSize(names);
  }

  private static byte[] bytes(ExtImage image, Inode inode) throws IOException {
    byte[] bytes = new byte[(int) inode.size()];
    assertThat(FileContent.of(image, inode).read(0, MemorySegment.ofArray(bytes)))
        .isEqualTo(bytes.length);
    return bytes;
  }

  private static void assertLiesWhereDebugfsSays(
      ExtImage image, Path file, Map<FileName, Inode> found) throws IOException {
    List<Inode> files =
        found.values().stream()
            .filter(inode -> inode.type() == FileType.REGULAR)
            .distinct()
            .toList();
    List<String> commands = files.stream().map(f -> "stat <%d>".formatted(f.number())).toList();
    String[] answers = Images.debugfs(file, commands).split("(?m)^debugfs: stat .*\n");
    for (int i = 0; i < files.size(); i++) {
      Inode inode = files.get(i);
      String stat = answers[i + 1];
      assertThat(stat).contains("Size: %d\n".formatted(inode.size()));
      assertThat(stat).contains("Blockcount: %d\n".formatted(inode.sectors()));
      BlockMap theirs = mapped(stat, image.info().blockSize(), inode.size());
      BlockMap ours = image.blockMap(inode);
      assertThat(ours.extentCount()).as(stat).isEqualTo(theirs.extentCount());
      for (int k = 0; k < ours.extentCount(); k++) {
        assertThat(ours.extent(k)).isEqualTo(theirs.extent(k));
      }
    }
  }

  private static BlockMap mapped(String stat, long blockSize, long size) {
    BlockMap.Builder map = new BlockMap.Builder();
    long blocks = Math.ceilDiv(size, blockSize);
    Matcher run = RUN.matcher(stat);
    while (run.find()) {
      long first = Long.parseLong(run.group(1));
      long last = run.group(2) == null ? first : Long.parseLong(run.group(2));
      long count = Math.min(last + 1, blocks) - first;
      if (run.group(3) == null && count > 0) {
        long at = Long.parseLong(run.group(4));
        map.add(first * blockSize, at * blockSize, count * blockSize);
      }
    }
    return map.build(Verdict.IN_PLACE);
  }

  private static void assertIsWhatTheKernelShows(
      ExtImage image, Path file, Map<FileName, Inode> found) throws IOException {
    if (!Judge.isRoot() || image.info().blockSize() > Pages.SIZE) {
      return;
    }
    Images.mounted(
        file,
        "ext4",
        root -> {
          for (Map.Entry<FileName, Inode> each : found.entrySet()) {
            Path path = root.resolve(each.getKey().toString());
            ExtJudgeTest.assertSameAttributes(path, each.getValue());
            if (each.getValue().type() == FileType.REGULAR) {
              assertThat(bytes(image, each.getValue())).isEqualTo(Files.readAllBytes(path));
            }
          }
        });
  }
}
