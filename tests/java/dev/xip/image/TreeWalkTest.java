package dev.xip.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.image.ext.ExtImage;
import dev.xip.testing.Images;
import dev.xip.testing.Processes;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
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
    TreeWalk.walk(image, start, (path, inode) -> paths.add(path.toString()));
    return paths;
  }

  @Test
  void aWalkSeesWhatFindSees() throws IOException {
    ExtImage image = Images.open(Images.ext2(tree), arena);
    List<String> theirs =
        Processes.run("find", tree.toString(), "-printf", "%P\\n").out().lines().toList();
    assertThat(walked(image, image.root()))
        .startsWith("")
        .containsAll(theirs)
        .hasSize(theirs.size() + 1)
        .contains("lost+found");
  }

  @Test
  void aDirectoryComesBeforeWhatIsInIt() throws IOException {
    ExtImage image = Images.open(Images.ext2(tree), arena);
    assertThat(walked(image, PathResolver.resolve(image, "sub", true)))
        .startsWith("", "deeper")
        .allMatch(path -> path.isEmpty() || path.startsWith("deeper"));
  }

  @Test
  void aFileIsAllThereIsToSee() throws IOException {
    ExtImage image = Images.open(Images.ext2(tree), arena);
    assertThat(walked(image, PathResolver.resolve(image, "hello.txt", true))).containsExactly("");
  }

  @Test
  void aTreeDeeperThanAnyStackIsWalked() throws IOException {
    int depth = 3000;
    List<String> commands = new ArrayList<>();
    for (int i = 0; i < depth; i++) {
      commands.add("mkdir d");
      commands.add("cd d");
    }
    Files.write(tree.resolve("room"), new byte[depth * 4096 * 2]);
    Path file = Images.ext2(tree, folder.resolve("deep.img"), "-b", "4096", "-N", "4000");
    Images.debugfsWrite(file, commands.toArray(String[]::new));
    ExtImage image = Images.open(file, arena);
    assertThat(walked(image, image.root())).contains("d/".repeat(depth - 1) + "d");
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
                    (path, inode) -> {
                      throw stop;
                    }))
        .isSameAs(stop);
  }
}
