package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Images;
import dev.xip.testing.Processes;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code cp} gives back what was packed, whole or not at all. */
class CopyOutIT {
  @TempDir Path folder;

  private Path tree;
  private Path image;

  @BeforeEach
  void makeImage() throws IOException {
    tree = Trees.small(folder.resolve("tree"));
    Files.createFile(Trees.child(tree, new byte[] {'b', (byte) 0xff, 'd'}));
    Processes.run("chmod", "2755", tree.resolve("sub").toString());
    Processes.run("chmod", "4710", tree.resolve("two-pages").toString());
    Processes.run("touch", "-d", "1999-12-31 23:59:59 UTC", tree.resolve("sub/deeper").toString());
    Processes.run("touch", "-h", "-d", "2001-01-01 UTC", tree.resolve("dangling").toString());
    image = Images.ext2(tree);
  }

  @Test
  void aTreeComesBackAsItWas() throws Exception {
    Path copy = folder.resolve("copy");
    Xip.run("cp", "-r", image, "/", copy).isDone();
    Files.delete(copy.resolve("lost+found"));
    Processes.run("diff", "-r", "--no-dereference", tree.toString(), copy.toString());
    assertThat(facts(copy)).isEqualTo(facts(tree));
  }

  /** Names, types, modes, owners, links, sizes, times in seconds and targets, the root left out. */
  private static String facts(Path root) throws IOException {
    return Processes.run(
            "sh",
            "-c",
            "cd \"$1\" && find . -mindepth 1 ! -type d -printf '%P %y %m %U %G %n %s %Ts %l\\n' -o"
                + " -mindepth 1 -printf '%P %y %m %U %G %Ts\\n' | LC_ALL=C sort",
            "sh",
            root.toString())
        .out();
  }

  @Test
  void holesStayHoles() throws Exception {
    Path copy = folder.resolve("copy-of-holes");
    Xip.run("cp", image, "/holes", copy).isDone();
    assertThat(copy).hasSameBinaryContentAs(tree.resolve("holes"));
    String blocks = Processes.run("stat", "-c", "%b", copy.toString()).out().strip();
    assertThat(Long.parseLong(blocks) * 512).isLessThan(64 << 10);
  }

  @Test
  void intoAFolderItKeepsItsName() throws Exception {
    Path into = Files.createDirectory(folder.resolve("into"));
    Xip.run("cp", image, "/hello.txt", into).isDone();
    Xip.run("cp", image, "/loop", into).isDone();
    assertThat(into.resolve("hello.txt")).hasContent("hello\n");
    assertThat(Files.readSymbolicLink(into.resolve("loop"))).hasToString("loop");
  }

  @Test
  void aDirectoryNeedsR() throws Exception {
    assertThat(Xip.run("cp", image, "/sub", folder.resolve("x")).failsWithOneLine())
        .contains("sub: is a directory, and -r is not given");
  }

  @Test
  void aFailedCopyLeavesWhatWasThere() throws Exception {
    Path target = Files.writeString(folder.resolve("target"), "precious");
    long inode = Xip.run("stat", "--json", image, "/indirect").json().get("inode").asLong();
    Images.debugfsWrite(image, "set_inode_field <%d> block[IND] 0x7ffffff0".formatted(inode));
    Xip.run("cp", image, "/indirect", target).failsWithOneLine();
    assertThat(target).hasContent("precious");
    Xip.run("cp", image, "/indirect", folder.resolve("new")).failsWithOneLine();
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left.map(Path::getFileName).map(Path::toString))
          .containsExactlyInAnyOrder("tree", "tree.img", "target");
    }
  }

  @Test
  void aMissingFolderForTheCopyIsOneLine() throws Exception {
    assertThat(Xip.run("cp", image, "/hello.txt", folder.resolve("no/such")).failsWithOneLine())
        .isEqualTo("xip: %s/no: No such file or directory\n".formatted(folder));
  }

  @Test
  void devicesAreLeftOutAndTold() throws Exception {
    Images.debugfsWrite(image, "cd sub", "mknod null c 1 3", "mknod pipe p");
    Path copy = folder.resolve("copy");
    assertThat(Xip.run("cp", "-r", image, "/sub", copy).failsWithOneLine())
        .contains("2 of 8 files left out")
        .contains("copy/null (character device 1,3)");
    assertThat(copy.resolve("deeper/below")).exists();
    assertThat(copy.resolve("null")).doesNotExist();
  }

  @Test
  void anImageCannotWriteThroughALinkOfItsOwn() throws Exception {
    Path outside = Files.createDirectory(folder.resolve("outside"));
    Path evil = Files.createDirectories(folder.resolve("evil/aa")).getParent();
    Files.writeString(evil.resolve("aa/file"), "escaped");
    Files.createSymbolicLink(evil.resolve("ab"), outside);
    Path evilImage = Images.ext2(evil);
    // Both entries get the same name: first the link, then the directory behind it.
    long entries =
        Xip.run("stat", "--json", evilImage, "/").json().at("/extents/0/imageOffset").asLong();
    byte[] bytes = Files.readAllBytes(evilImage);
    for (int i = (int) entries; i < entries + 4096; i++) {
      if (bytes[i] == 'a' && bytes[i + 1] == 'b' && bytes[i - 2] == 2) {
        bytes[i + 1] = 'a';
      }
    }
    Files.write(evilImage, bytes);
    Xip.run("cp", "-r", evilImage, "/", folder.resolve("copy")).failsWithOneLine();
    assertThat(outside).isEmptyDirectory();
    assertThat(Files.exists(outside.resolve("file"), LinkOption.NOFOLLOW_LINKS)).isFalse();
  }
}
