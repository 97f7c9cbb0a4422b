package dev.xip.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.image.ext.ExtImage;
import dev.xip.testing.Allocations;
import dev.xip.testing.Images;
import dev.xip.testing.Processes;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A walk sees everything once, directories first, and ends. */
class TreeWalkTest {
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

  private static List<String> walked(ExtImage image, Inode start) throws IOException {
    List<String> paths = new ArrayList<>();
    TreeWalk.walk(image, start, (walk, inode) -> paths.add(walk.path().toString()));
    return paths;
  }

  @Test
  void aDirectoryComesBeforeWhatIsInIt() throws IOException {
    ExtImage image = Images.open(Images.ext2(tree), arena);
    assertThat(walked(image, PathResolver.resolve(image, "sub", true)))
        .startsWith("", "deeper")
        .allMatch(path -> path.isEmpty() || path.startsWith("deeper"));
  }

  @Test
  void aWalkFromAFileVisitsItAlone() throws IOException {
    ExtImage image = Images.open(Images.ext2(tree), arena);
    assertThat(walked(image, PathResolver.resolve(image, "hello.txt", true))).containsExactly("");
  }

  private ExtImage chain(int depth) throws IOException {
    List<String> commands = new ArrayList<>();
    for (int i = 0; i < depth; i++) {
      commands.add("mkdir d");
      commands.add("cd d");
    }
    Path file = folder.resolve("deep.img");
    String blocks = Integer.toString(2 * depth + 2000);
    Processes.run(
        "mke2fs",
        "-q",
        "-t",
        "ext2",
        "-b",
        "4096",
        "-N",
        "%d".formatted(depth + 100),
        "%s".formatted(file),
        blocks);
    Images.debugfsWrite(file, commands.toArray(String[]::new));
    return Images.open(file, arena);
  }

  @Test
  void aTreeDeeperThanAnyStackIsWalked() throws IOException {
    ExtImage image = chain(3000);
    assertThat(walked(image, image.root())).contains("d/".repeat(2999) + "d");
  }

  @Test
  void aWalkCostsNoMoreForAFolderThatLiesDeep() throws IOException {
    int depth = 20_000;
    ExtImage image = chain(depth);
    int[] longest = new int[1];
    long allocated =
        Allocations.of(
            () -> {
              int[] seen = new int[1];
              try {
                TreeWalk.walk(
                    image,
                    image.root(),
                    (walk, inode) -> {
                      if (++seen[0] == depth + 1) {
                        longest[0] = walk.path().length();
                      }
                    });
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    assertThat(longest[0]).isBetween(2 * depth - 22, 2 * depth - 1);
    // A path for each folder would come to 10 KB a folder on the average.
    assertThat(allocated / depth).as("bytes of heap for a folder").isLessThan(2500);
  }

  @Test
  void aPathLongerThanTheHostAllowsIsResolved() throws IOException {
    ExtImage image = chain(3000);
    Inode deepest = PathResolver.resolve(image, "/d".repeat(3000), true);
    assertThat(deepest.type()).isEqualTo(FileType.DIRECTORY);
    assertThat(PathResolver.resolve(image, "/d".repeat(3000) + "/..".repeat(3000), true).number())
        .isEqualTo(image.root().number());
  }

  @Test
  void anEntryThatClaimsAnotherTypeThanItsInodeIsNotBelieved() throws IOException {
    Path file = Images.ext2(tree);
    ExtImage image = Images.open(file, arena);
    List<String> before = walked(image, image.root());
    long entries = image.blockMap(PathResolver.resolve(image, "sub", true)).imageOffset(0);
    try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
      open.seek(entries + 24 + 7);
      open.writeByte(1);
    }
    assertThat(walked(image, image.root())).isEqualTo(before);
  }

  @Test
  void aNameThatAFolderHoldsTwiceIsDamageInThatFolder() throws IOException {
    Path file = Images.ext2(tree);
    ExtImage image = Images.open(file, arena);
    long entries = image.blockMap(PathResolver.resolve(image, "sub", true)).imageOffset(0);
    try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
      open.seek(entries + 12 + 6);
      open.write(new byte[] {1, 2, '.', 0});
    }
    assertThatThrownBy(() -> walked(image, image.root()))
        .isInstanceOf(CorruptImageException.class)
        .hasMessageContaining("at byte 0x%x".formatted(entries + 12))
        .hasMessageContaining("each name once in directory inode")
        .hasMessageEndingWith(", in folder sub");
  }

  @Test
  void aDirectoryInsideItselfIsDamage() throws IOException {
    Path file = Images.ext2(tree);
    Images.debugfsWrite(file, "link sub sub/deeper/again");
    ExtImage image = Images.open(file, arena);
    Inode sub = PathResolver.resolve(image, "sub", true);
    assertThatThrownBy(() -> walked(image, image.root()))
        .isInstanceOf(CorruptImageException.class)
        .hasMessageContaining("at byte 0x%x".formatted(sub.offset()))
        .hasMessageContaining(
            "inode %d a second time, as sub/deeper/again".formatted(sub.number()));
  }

  @Test
  void whatTheVisitorThrowsEndsTheWalk() throws IOException {
    ExtImage image = Images.open(Images.ext2(tree), arena);
    IOException stop = new IOException("enough");
    assertThatThrownBy(
            () ->
                TreeWalk.walk(
                    image,
                    image.root(),
                    (walk, inode) -> {
                      throw stop;
                    }))
        .isSameAs(stop);
  }
}
