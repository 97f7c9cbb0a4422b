package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code cp} restores what was packed, completely or not at all. */
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
    Xip.run("cp", "-r", image, "/", copy).isDoneButForOwners();
    Files.delete(copy.resolve("lost+found"));
    Processes.run("diff", "-r", "--no-dereference", tree.toString(), copy.toString());
    assertThat(facts(copy)).isEqualTo(facts(tree));
  }

  /** Names, types, modes, owners, links, sizes, times in seconds and targets, without the root. */
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

  private void makeNodes() throws IOException {
    Images.debugfsWrite(
        image, "cd sub", "mknod null c 1 3", "mknod disk b 200 250", "mknod pipe p");
  }

  @Test
  void rootGetsDevicesAndPipesBack() throws Exception {
    Judge.deviceNodes();
    makeNodes();
    Path copy = folder.resolve("copy");
    Xip.run("cp", "-r", image, "/sub", copy).isDone();
    assertThat(Processes.run("stat", "-c", "%F %t %T", copy.resolve("disk").toString()).out())
        .isEqualTo("block special file c8 fa\n");
    assertThat(Processes.run("stat", "-c", "%F %t %T", copy.resolve("null").toString()).out())
        .isEqualTo("character special file 1 3\n");
    assertThat(Processes.run("stat", "-c", "%F", copy.resolve("pipe").toString()).out())
        .isEqualTo("fifo\n");
  }

  @Test
  void devicesAreLeftOutOnRequest() throws Exception {
    makeNodes();
    Path copy = folder.resolve("copy");
    Xip.run("cp", "-r", "--no-devices", image, "/sub", copy).isDoneButForOwners();
    assertThat(copy.resolve("null")).doesNotExist();
    assertThat(copy.resolve("disk")).doesNotExist();
    assertThat(copy.resolve("pipe")).exists();
  }

  @Test
  void devicesThatAnotherUserCannotMakeAreCounted() throws Exception {
    List<String> command = new ArrayList<>(Judge.asNobody());
    makeNodes();
    Path into = openToAll();
    Processes.run("chmod", "644", image.toString());
    command.addAll(
        List.of(Xip.launcher().toString(), "cp", "-r", image.toString(), "/sub", into + "/copy"));
    assertThat(Xip.run(new ProcessBuilder(command)).failsWithOneLine())
        .contains("2 of 9 files left out")
        .contains("copy/disk (block device 200,250)")
        .contains("without their owner or group");
    assertThat(into.resolve("copy/deeper/below")).exists();
    assertThat(into.resolve("copy/null")).doesNotExist();
  }

  /** A folder in which the user nobody may make files, below folders that it may enter. */
  private Path openToAll() throws IOException {
    Path open = Files.createDirectory(folder.resolve("open"));
    Processes.run("chmod", "755", folder.toString());
    Processes.run("chmod", "777", open.toString());
    return open;
  }

  @Test
  void everyAttributeComesBack() throws Exception {
    Judge.root();
    Judge.program("rsync");
    Judge.program("setfacl");
    Judge.program("setfattr");
    Judge.program("setcap");
    Judge.loopMount();
    Path image = blank("32M");
    Path whole = Files.createDirectory(folder.resolve("whole"));
    String make =
        """
        cd "$1"; echo hi >f; ln f g; ln -s target l; ln l l2; mknod c c 1 3; ln c c2; mkfifo p
        mknod b b 300 70000
        mkdir d d/e; chmod 0 d/e; chmod 1777 d; chown 7:8 d p; chown -h 5:6 l; chown 1000:70000 f
        setfattr -n user.x -v 'a b' f; setfattr -h -n trusted.t -v 1 l; setfattr -n user.r -v 2 .
        setfacl -m u:1000:rwx,g::- f; setfacl -d -m u:1001:r d; cp /bin/true cap
        setcap cap_net_raw+ep cap; chmod 6755 cap; rmdir lost+found; chown 42:43 .; chmod 2751 .
        touch -d '1902-01-02 03:04:05.123456789' f; touch -h -d '2400-05-06 07:08:09.98765' l
        touch -d '2200-01-01 00:00:00.5' d; touch -d '1999-09-09 09:09:09.000000009' .
        """;
    Processes.run("mount", "-o", "loop", image.toString(), whole.toString());
    try {
      Processes.run("sh", "-e", "-c", make, "sh", whole.toString());
    } finally {
      Processes.run("umount", whole.toString());
    }
    Path fresh = folder.resolve("fresh");
    Path empty = Files.createDirectory(folder.resolve("empty"));
    Xip.run("cp", "-r", image, "/", fresh).isDone();
    Xip.run("cp", "-r", image, "/", empty).isDone();
    Images.mounted(
        image,
        "ext4",
        root -> {
          for (Path copy : List.of(fresh, empty)) {
            assertThat(Processes.run("rsync", "-naHAXi", "--delete", root + "/", copy + "/").out())
                .isEmpty();
            assertThat(everything(copy)).isEqualTo(everything(root));
          }
        });
  }

  private static String everything(Path root) throws IOException {
    String look =
        "cd \"$1\" && { find . -printf '%P %y %m %U %G %n %T@ %l\\n'; getfattr -hRd -m - .; }"
            + " | LC_ALL=C sort";
    return Processes.run("sh", "-c", look, "sh", root.toString()).out();
  }

  private Path blank(String size) throws IOException {
    Path blank = folder.resolve("blank.img");
    Processes.run(
        "mke2fs",
        "-q",
        "-F",
        "-t",
        "ext2",
        "-b",
        "4096",
        "-I",
        "256",
        "-N",
        "8000",
        blank.toString(),
        size);
    return blank;
  }

  @Test
  void extendedAttributesAndSetIdBitsAreLeftOutOnRequest() throws Exception {
    Judge.program("getfattr");
    Images.debugfsWrite(image, "ea_set two-pages user.kept yes");
    Path with = folder.resolve("with");
    Path without = folder.resolve("without");
    Xip.run("cp", image, "/two-pages", with).isDone();
    Xip.run("cp", "--no-xattrs", "--no-set-id", image, "/two-pages", without).isDone();
    assertThat(Processes.run("getfattr", "-d", with.toString()).out()).contains("kept=\"yes\"");
    assertThat(Processes.run("getfattr", "-d", without.toString()).out()).isEmpty();
    assertThat(Processes.run("stat", "-c", "%a", with.toString()).out()).isEqualTo("4710\n");
    assertThat(Processes.run("stat", "-c", "%a", without.toString()).out()).isEqualTo("710\n");
  }

  @Test
  void aGroupIsNotGivenWhatALostListGaveToOthers() throws Exception {
    Judge.program("setfacl");
    Judge.loopMount();
    Path image = blank("8M");
    Path whole = Files.createDirectory(folder.resolve("whole"));
    Processes.run("mount", "-o", "loop", image.toString(), whole.toString());
    try {
      Files.writeString(whole.resolve("listed"), "for user 1000");
      Processes.run("setfacl", "-m", "u:1000:rwx,g::-,o::-", whole.resolve("listed").toString());
    } finally {
      Processes.run("umount", whole.toString());
    }
    Path copy = folder.resolve("copy");
    Xip.run("cp", "--no-xattrs", image, "/listed", copy).isDone();
    assertThat(Processes.run("stat", "-c", "%a", copy.toString()).out()).isEqualTo("600\n");
  }

  @Test
  void foldersNestDeeperThanAnyPath() throws Exception {
    Path image = blank("32M");
    int depth = 3000;
    List<String> commands = new ArrayList<>();
    for (int i = 0; i < depth; i++) {
      commands.add("mkdir dd");
      commands.add("cd dd");
    }
    commands.add("write /dev/null leaf");
    Images.debugfsWrite(image, commands.toArray(String[]::new));
    Path copy = folder.resolve("copy");
    try {
      Xip.run("cp", "-r", image, "/dd", copy).isDoneButForOwners();
      String found = Processes.run("find", copy.toString(), "-printf", "%y").out();
      assertThat(found).isEqualTo("d".repeat(depth) + "f");
    } finally {
      // The JDK cannot remove it.
      Processes.run("rm", "-r", copy.toString());
    }
  }

  @Test
  void anImageCannotWriteThroughALinkOfItsOwn() throws Exception {
    Path outside = Files.createDirectory(folder.resolve("outside"));
    Path evil = Files.createDirectories(folder.resolve("evil/aa")).getParent();
    Files.writeString(evil.resolve("aa/file"), "escaped");
    Files.createSymbolicLink(evil.resolve("ab"), outside);
    Path evilImage = Images.ext2(evil);
    // Both entries get the same name: first the link, then the directory after it.
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
