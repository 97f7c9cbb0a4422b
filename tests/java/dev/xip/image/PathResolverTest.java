package dev.xip.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.FileName;
import dev.xip.image.ext.ExtImage;
import dev.xip.testing.Images;
import dev.xip.testing.Processes;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Paths lead where the kernel would lead them, were the image its root file system. */
class PathResolverTest {
  @TempDir static Path folder;
  private static Arena arena;
  private static ExtImage image;

  @BeforeAll
  static void packATree() throws IOException {
    Path tree = Trees.small(folder.resolve("tree"));
    link(tree, "to-sub", "sub");
    link(tree, "to-file-as-folder", "hello.txt/");
    link(tree, "chain0", "hello.txt");
    for (int i = 1; i <= 40; i++) {
      link(tree, "chain" + i, "chain" + (i - 1));
    }
    link(tree, "ping", "pong");
    link(tree, "pong", "./ping");
    Files.createFile(tree.resolve("n".repeat(255)));
    Files.createFile(Trees.child(tree, new byte[] {(byte) 0xff}));
    Files.createFile(Trees.child(tree, "ä".getBytes(StandardCharsets.UTF_8)));
    arena = Arena.ofShared();
    Path packed = Images.ext2(tree);
    Images.debugfsWrite(packed, "symlink to-root ../../..");
    image = Images.open(packed, arena);
  }

  private static void link(Path tree, String name, String target) throws IOException {
    // Unlike Path, ln keeps a slash at the end.
    Processes.run("ln", "-s", target, tree.resolve(name).toString());
  }

  @AfterAll
  static void unmap() {
    arena.close();
  }

  private static long resolve(String path) throws IOException {
    return PathResolver.resolve(image, path, true).number();
  }

  private static void assertSame(String path, String other) throws IOException {
    assertThat(resolve(path)).as(path).isEqualTo(resolve(other));
  }

  @Test
  void aPathStartsAtTheRootWithOrWithoutASlash() throws IOException {
    assertThat(resolve("/")).isEqualTo(image.root().number());
    assertThat(resolve(".")).isEqualTo(image.root().number());
    assertSame("sub/deeper", "/sub/deeper");
    assertSame("///sub//./deeper/", "/sub/deeper");
  }

  @Test
  void dotDotGoesUpAndStaysAtTheRoot() throws IOException {
    assertSame("/sub/deeper/..", "/sub");
    assertSame("/../../sub", "/sub");
    assertSame("to-root/hello.txt", "hello.txt");
  }

  @Test
  void dotDotAfterALinkGoesUpFromItsTarget() throws IOException {
    assertSame("to-sub/deeper/../..", "/");
    assertSame("to-sub/..", "/");
  }

  @Test
  void relativeLinksStartWhereTheyStand() throws IOException {
    assertSame("sub/deeper/up", "hello.txt");
    assertSame("link", "sub/deeper/below");
  }

  @Test
  void absoluteLinksStartAtTheRootOfTheImage() throws IOException {
    assertSame("sub/deeper/absolute", "hello.txt");
  }

  @Test
  void aLinkAtTheEndIsFollowedOnDemand() throws IOException {
    assertThat(PathResolver.resolve(image, "to-sub", false).type()).isEqualTo(FileType.SYMLINK);
    assertThat(PathResolver.resolve(image, "to-sub", true).type()).isEqualTo(FileType.DIRECTORY);
  }

  @Test
  void aLinkWithASlashAfterItIsFollowedAlways() throws IOException {
    assertThat(PathResolver.resolve(image, "to-sub/", false).type()).isEqualTo(FileType.DIRECTORY);
  }

  @Test
  void fortyLinksAreFollowedAndNoMore() throws IOException {
    assertSame("chain39", "hello.txt");
    assertThatThrownBy(() -> resolve("chain40")).isInstanceOf(FileSystemLoopException.class);
  }

  @Test
  void linksInALoopEnd() {
    assertThatThrownBy(() -> resolve("loop")).isInstanceOf(FileSystemLoopException.class);
    assertThatThrownBy(() -> resolve("ping/x"))
        .isInstanceOf(FileSystemLoopException.class)
        .hasMessageContaining(image.name() + ":ping/x");
  }

  @Test
  void whatIsNotThereIsNotFound() {
    for (String path : new String[] {"nothing", "sub/nothing", "sub/nothing/more", "dangling"}) {
      assertThatThrownBy(() -> resolve(path))
          .as(path)
          .isInstanceOf(NoSuchFileException.class)
          .hasMessageContaining(image.name() + ":" + path);
    }
  }

  @Test
  void anEmptyPathNamesNothing() {
    assertThatThrownBy(() -> resolve("")).isInstanceOf(NoSuchFileException.class);
  }

  @Test
  void aFileOnTheWayIsNotADirectory() {
    String[] paths = {"hello.txt/x", "hello.txt/", "hello.txt/.", "link/..", "to-file-as-folder"};
    for (String path : paths) {
      assertThatThrownBy(() -> resolve(path)).as(path).isInstanceOf(NotDirectoryException.class);
    }
  }

  @Test
  void aNameLongerThanADirectoryHoldsIsNotFound() throws IOException {
    assertThat(resolve("n".repeat(255))).isPositive();
    assertThatThrownBy(() -> resolve("n".repeat(256)))
        .isExactlyInstanceOf(FileSystemException.class)
        .hasMessageContaining("File name too long");
  }

  @Test
  void namesAreBytes() throws IOException {
    FileName name = FileName.of(new byte[] {'/', (byte) 0xff});
    assertThat(PathResolver.resolve(image, name, true).size()).isZero();
    assertThat(resolve("ä")).isPositive();
  }
}
