package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code cp} with each kind of destination, also one in which other users can write. */
class CopyDestinationIT {
  private static final int MANY = 300;
  private static final long LARGE = 400L << 20;

  @TempDir Path folder;

  private Path image;

  @BeforeEach
  void makeImage() throws IOException {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.writeString(tree.resolve("f"), "copied");
    Path many = Files.createDirectory(tree.resolve("many"));
    for (int i = 0; i < MANY; i++) {
      Files.writeString(many.resolve("f" + i), "of the image");
    }
    image = Images.ext2(tree);
    Processes.run("chmod", "755", folder.toString());
  }

  private static String mode(Path file) throws IOException {
    return Processes.run("stat", "-c", "%a %U", file.toString()).out().strip();
  }

  @Test
  void aFileThatIsThereKeepsItsModeAndItsOtherNameTheOldBytes() throws Exception {
    Path there = Files.writeString(folder.resolve("there"), "old");
    Path other = Files.createLink(folder.resolve("other"), there);
    Processes.run("chmod", "600", there.toString());
    String before = mode(there);
    Xip.run("cp", image, "/f", there).isDone();
    assertThat(there).hasContent("copied");
    assertThat(mode(there)).isEqualTo(before);
    assertThat(other).hasContent("old");
  }

  @Test
  void rootKeepsTheOwnerOfAFileThatIsThere() throws Exception {
    Judge.root();
    Path there = Files.writeString(folder.resolve("there"), "old");
    Processes.run("chown", "65534", there.toString());
    Processes.run("chmod", "640", there.toString());
    String before = mode(there);
    Xip.run("cp", image, "/f", there).isDone();
    assertThat(there).hasContent("copied");
    assertThat(mode(there)).isEqualTo(before).startsWith("640 ").doesNotContain("root");
  }

  @Test
  void aPipeIsWrittenInto() throws Exception {
    Path pipe = folder.resolve("pipe");
    Processes.run("mkfifo", pipe.toString());
    Process reader = Processes.builder("cat", pipe.toString()).start();
    try {
      Xip.run("cp", image, "/f", pipe).isDone();
      assertThat(reader.inputReader().readLine()).isEqualTo("copied");
      assertThat(reader.waitFor(10, TimeUnit.SECONDS)).isTrue();
    } finally {
      reader.destroyForcibly();
    }
    assertThat(Processes.run("stat", "-c", "%F", pipe.toString()).out()).isEqualTo("fifo\n");
  }

  @Test
  void aDeviceIsWrittenInto() throws Exception {
    Judge.deviceNodes();
    Path nothing = folder.resolve("nothing");
    Processes.run("mknod", nothing.toString(), "c", "1", "3");
    Xip.run("cp", image, "/f", nothing).isDone();
    Path full = folder.resolve("full");
    Processes.run("mknod", full.toString(), "c", "1", "7");
    assertThat(Xip.run("cp", image, "/f", full).failsWithOneLine())
        .isEqualTo("xip: %s: No space left on device\n".formatted(full));
    assertThat(Processes.run("stat", "-c", "%F", full.toString()).out())
        .isEqualTo("character special file\n");
  }

  @Test
  void aSocketIsRefused() throws Exception {
    Path socket = folder.resolve("socket");
    try (var server =
        java.nio.channels.ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX)) {
      server.bind(java.net.UnixDomainSocketAddress.of(socket));
      assertThat(Xip.run("cp", image, "/f", socket).failsWithOneLine())
          .isEqualTo("xip: %s: is a socket, which a copy cannot replace\n".formatted(socket));
    }
    assertThat(Files.exists(socket)).isTrue();
  }

  @Test
  void aPipeInATreeIsNotReplacedByAFile() throws Exception {
    Path into = Files.createDirectories(folder.resolve("into/many")).getParent();
    Processes.run("mkfifo", into.resolve("many/f7").toString());
    assertThat(Xip.run("cp", "-r", image, "/", into).failsWithOneLine())
        .contains("into/many/f7: is a pipe, which a regular file cannot replace");
  }

  @Test
  void anOwnLinkIsFollowed() throws Exception {
    Path real = Files.writeString(folder.resolve("real"), "old");
    Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("real"));
    Xip.run("cp", image, "/f", link).isDone();
    assertThat(Files.isSymbolicLink(link)).isTrue();
    assertThat(real).hasContent("copied");
    Path into = Files.createDirectory(folder.resolve("into"));
    Path toFolder = Files.createSymbolicLink(folder.resolve("to-folder"), into);
    Xip.run("cp", image, "/f", toFolder + "/").isDone();
    assertThat(into.resolve("f")).hasContent("copied");
  }

  @Test
  void aLinkThatLeadsNowhereIsNamed() throws Exception {
    Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("nothing"));
    assertThat(Xip.run("cp", image, "/f", link).failsWithOneLine())
        .contains("link: is a link to %s/nothing, which does not exist".formatted(folder));
    assertThat(folder.resolve("nothing")).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource({"1777, 65534", "777, 0", "755, 65534"})
  void aLinkThatAnotherUserMayHavePutThereIsNotFollowed(String mode, int owner) throws Exception {
    Judge.root();
    Path precious = Files.writeString(folder.resolve("precious"), "precious");
    Path open = Files.createDirectory(folder.resolve("open"));
    Path link = Files.createSymbolicLink(open.resolve("link"), precious);
    Processes.run("chown", "-h", "65534", link.toString());
    Processes.run("chown", Integer.toString(owner), open.toString());
    Processes.run("chmod", mode, open.toString());
    assertThat(Xip.run("cp", image, "/f", link).failsWithOneLine())
        .contains("link: is a link that another user may have put there");
    assertThat(precious).hasContent("precious");
  }

  @ParameterizedTest
  @ValueSource(strings = {"cp", "cp -r", "pack"})
  void aLinkOfAnotherUserOnTheWayIsNotFollowed(String command) throws Exception {
    Judge.root();
    Path precious = Files.createDirectory(folder.resolve("precious"));
    Path open = Files.createDirectory(folder.resolve("open"));
    Path link = Files.createSymbolicLink(open.resolve("link"), precious);
    Processes.run("chown", "-h", "65534", link.toString());
    Processes.run("chmod", "1777", open.toString());
    List<Object> arguments = new ArrayList<>(List.of((Object[]) command.split(" ")));
    Path source = Files.createDirectory(folder.resolve("source"));
    arguments.addAll(
        command.equals("pack")
            ? List.of(source)
            : List.of(image, command.equals("cp") ? "/f" : "/many"));
    arguments.add(link.resolve("new"));
    assertThat(Xip.run(arguments.toArray()).failsWithOneLine())
        .contains(link + " is a link that another user may have put there: it is not followed");
    assertThat(precious).isEmptyDirectory();
  }

  @Test
  void ownLinksOnTheWayAreFollowed() throws Exception {
    Path real = Files.createDirectories(folder.resolve("real/deep"));
    Files.createSymbolicLink(folder.resolve("relative"), Path.of("real"));
    Files.createSymbolicLink(folder.resolve("absolute"), folder.resolve("relative"));
    Files.createSymbolicLink(folder.resolve("loop"), Path.of("loop"));
    Xip.run("cp", image, "/f", folder + "/absolute/./deep//../deep/one").isDone();
    assertThat(real.resolve("one")).hasContent("copied");
    assertThat(Xip.run("cp", image, "/f", folder + "/loop/one").failsWithOneLine())
        .isEqualTo("xip: %s/loop: Too many levels of symbolic links\n".formatted(folder));
    assertThat(Xip.run("cp", image, "/f", folder + "/real/none/one").failsWithOneLine())
        .isEqualTo("xip: %s/real/none: No such file or directory\n".formatted(folder));
  }

  @Test
  void aLinkInATreeIsReplacedAndNotFollowed() throws Exception {
    Path outside = Files.writeString(folder.resolve("outside"), "precious");
    Path into = Files.createDirectories(folder.resolve("into/many")).getParent();
    Files.createSymbolicLink(into.resolve("many/f7"), outside);
    Xip.run("cp", "-r", image, "/", into).isDoneButForOwners();
    assertThat(outside).hasContent("precious");
    assertThat(into.resolve("many/f7")).isRegularFile().hasContent("of the image");
    Path linked = Files.createDirectory(folder.resolve("linked"));
    Files.createSymbolicLink(linked.resolve("many"), into);
    assertThat(Xip.run("cp", "-r", image, "/", linked).failsWithOneLine())
        .contains("linked/many: is a symbolic link, which a directory cannot replace");
  }

  @Test
  void aTrailingSlashRequiresAFolder() throws Exception {
    Path there = Files.writeString(folder.resolve("there"), "old");
    assertThat(Xip.run("cp", image, "/f", there + "/").failsWithOneLine())
        .isEqualTo("xip: %s/: Not a directory\n".formatted(there));
    assertThat(there).hasContent("old");
    assertThat(Xip.run("cp", image, "/f", folder + "/new/").failsWithOneLine())
        .isEqualTo("xip: %s/new/: Not a directory\n".formatted(folder));
    assertThat(folder.resolve("new")).doesNotExist();
    Xip.run("cp", "-r", image, "/many", folder + "/new/").isDone();
    assertThat(folder.resolve("new/f1")).exists();
  }

  @Test
  void theImageIsNotItsOwnDestination() throws Exception {
    byte[] before = Files.readAllBytes(image);
    Path other = Files.createLink(folder.resolve("other-name"), image);
    Path link = Files.createSymbolicLink(folder.resolve("link"), image);
    for (Path each : List.of(image, other, link)) {
      assertThat(Xip.run("cp", image, "/f", each).failsWithOneLine())
          .isEqualTo("xip: %s: is the same file as %s\n".formatted(each, image));
    }
    assertThat(image).hasBinaryContent(before);
  }

  /** Another user moves the new folder away and replaces it by a link to a folder of root. */
  @Test
  void aFolderThatIsSwappedForALinkIsNotEntered() throws Exception {
    List<String> command = new ArrayList<>(Judge.asNobody());
    Path outside = Files.createDirectory(folder.resolve("outside"));
    Path pub = Files.createDirectory(folder.resolve("pub"));
    Path away = Files.createDirectory(folder.resolve("away"));
    Processes.run("chmod", "777", pub.toString(), away.toString());
    String attack =
        "cd \"$1\"; i=0; while :; do for n in .xip-* many; do [ -d \"$n\" ] && [ ! -L \"$n\" ] &&"
            + " i=$((i+1)) && mv \"$n\" \"$3/$i\" && ln -s \"$2\" \"$n\"; done; done";
    command.addAll(
        List.of("sh", "-c", attack, "sh", pub.toString(), outside.toString(), away.toString()));
    Process attacker = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      for (int i = 0; i < 5; i++) {
        Xip.run("cp", "-r", image, "/", pub);
        Xip.run("cp", image, "/f", pub.resolve("f" + i));
      }
    } finally {
      attacker.destroyForcibly().waitFor();
    }
    assertThat(outside).isEmptyDirectory();
  }

  @Test
  void aCopyIsClosedToOthersUntilItIsComplete() throws Exception {
    List<String> command = new ArrayList<>(Judge.asNobody());
    Images.debugfsWrite(image, "set_inode_field f size " + LARGE, "set_inode_field f mode 0100666");
    Path pub = Files.createDirectory(folder.resolve("pub"));
    Processes.run("chmod", "777", pub.toString());
    String look =
        "cd \"$1\"; while :; do for n in .xip-*; do [ -d \"$n\" ] && : >\"$2\" &&"
            + " cat \"$n\"/* >>\"$3\" 2>/dev/null; done; done";
    Path seen = folder.resolve("pub/seen");
    Path caught = Files.createFile(folder.resolve("caught"));
    Processes.run("chmod", "666", caught.toString());
    command.addAll(
        List.of("sh", "-c", look, "sh", pub.toString(), seen.toString(), caught.toString()));
    Process other = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      for (int i = 0; i < 200 && !Files.exists(seen); i++) {
        Xip.run("cp", image, "/f", pub.resolve("f")).isDone();
      }
    } finally {
      other.destroyForcibly().waitFor();
    }
    assertThat(seen).as("the other user looked while a copy was made").exists();
    assertThat(caught).isEmptyFile();
  }

  @ParameterizedTest
  @CsvSource({"INT, 130", "TERM, 143", "HUP, 129"})
  void aSignalLeavesNothing(String signal, int exit) throws Exception {
    Path there = Files.createDirectory(folder.resolve("there"));
    for (String destination : List.of("new", "there")) {
      Process process =
          Xip.interruptible("cp", "-r", image, "/", folder.resolve(destination)).start();
      Path beside = destination.equals("new") ? folder : there;
      while (process.isAlive() && count(beside, ".xip-") == 0) {
        Thread.onSpinWait();
      }
      Processes.runAny("kill", "-" + signal, Long.toString(process.pid()));
      assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
      // The copy may have finished before the signal arrived.
      if (process.exitValue() != 0) {
        assertThat(process.exitValue()).isEqualTo(exit);
        assertThat(folder.resolve("new")).doesNotExist();
        assertThat(there).isEmptyDirectory();
      }
      assertThat(count(beside, ".xip-")).isZero();
      assertThat(process.errorReader().lines()).isEmpty();
    }
  }

  private static long count(Path folder, String start) throws IOException {
    try (Stream<Path> names = Files.list(folder)) {
      return names.filter(each -> each.getFileName().toString().startsWith(start)).count();
    }
  }
}
