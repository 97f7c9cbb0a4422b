package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.xip.testing.HardTree;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code pack} makes images that their checkers accept, or leaves everything as it was. */
class PackIT {
  @TempDir Path folder;

  @Test
  void aSmallTreeGivesASmallImageThatE2fsckAccepts() throws Exception {
    Path tree = Trees.small(folder.resolve("tree"));
    Path image = folder.resolve("image");
    JsonNode json = Xip.run("pack", "--json", tree, image).isDone().json();
    Processes.run("e2fsck", "-fn", image.toString());
    assertThat(json.get("imageBytes").asLong()).isEqualTo(Files.size(image)).isLessThan(1 << 20);
    assertThat(json.get("files").asInt()).isEqualTo(6);
    assertThat(json.get("notInPlace")).isEmpty();
  }

  @Test
  void aBigTreeFitsExactlyEnoughAndComesBack() throws Exception {
    Path tree = Trees.big(folder.resolve("tree"), 42);
    Path image = folder.resolve("image");
    Xip.run("pack", tree, image).isDone();
    Processes.run("e2fsck", "-fn", image.toString());
    String facts = Processes.run("dumpe2fs", "-h", image.toString()).out();
    long blocks = number(facts, "Block count:");
    assertThat(number(facts, "Free blocks:")).isBetween(0L, blocks / 20);
    Set<String> names = new HashSet<>();
    for (JsonNode each : Xip.run("ls", "-R", "--json", image).isDone().json().get("entries")) {
      names.add(each.get("path").asText());
    }
    assertThat(names).contains("/names/tab\tnew\nline", "/names/quote\"'\\", "/names/🦊");
    Path copy = folder.resolve("copy");
    Xip.run("cp", "-r", image, "/", copy).isDone();
    Processes.run("diff", "-r", "--no-dereference", tree.toString(), copy.toString());
  }

  private static long number(String facts, String label) {
    return facts
        .lines()
        .filter(line -> line.startsWith(label))
        .mapToLong(line -> Long.parseLong(line.substring(label.length()).strip()))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void thousandsOfEmptyFilesGetEnoughInodes() throws Exception {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    for (int i = 0; i < 40; i++) {
      Path sub = Files.createDirectory(tree.resolve("d" + i));
      for (int j = 0; j < 1000; j++) {
        Files.createFile(sub.resolve("f" + j));
      }
    }
    Path image = folder.resolve("image");
    Xip.run("pack", tree, image).isDone();
    Processes.run("e2fsck", "-fn", image.toString());
    assertThat(Xip.run("check", "--json", image).isDone().json().get("files")).hasSize(40_000);
  }

  @Test
  void theSameTreeGivesTheSameImage() throws Exception {
    Path tree = Trees.small(folder.resolve("tree"));
    // The first pack reads the files, which may change their access times; later ones do not.
    Xip.run("pack", tree, folder.resolve("zero")).isDone();
    Xip.run("pack", tree, folder.resolve("one")).isDone();
    Thread.sleep(1100);
    Xip.run("pack", tree, folder.resolve("two")).isDone();
    assertThat(folder.resolve("one")).hasSameBinaryContentAs(folder.resolve("two"));
  }

  @Test
  void erofsIsPackedWithoutInlineDataAndDumpErofsConfirmsIt() throws Exception {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.writeString(tree.resolve("tail"), "a tail");
    Path image = folder.resolve("image");
    Judge.program("mkfs.erofs");
    Judge.program("dump.erofs");
    assertThat(Xip.run("pack", "--format", "erofs", tree, image).isDone().out())
        .contains("not in place: 0 (looked up file by file)");
    assertThat(Processes.run("dump.erofs", "--path=/tail", image.toString()).out())
        .contains("Layout: 0 ");
    assertThat(Xip.run("check", image).isDone().out()).contains("in place");
    assertThat(Xip.run("cat", image, "tail").isDone().out()).isEqualTo("a tail");
  }

  @Test
  void anExt4ImageHasItsFilesInPlace() throws Exception {
    Path tree = Trees.small(folder.resolve("tree"));
    Files.writeString(tree.resolve("junk.o"), "junk");
    Path image = folder.resolve("image");
    assertThat(
            Xip.run("pack", "--format=ext4", "--exclude=*.o", "--owner=5:6", tree, image)
                .isDone()
                .out())
        .contains(": ext4, ", "not in place: 0 (");
    assertThat(Xip.run("ls", "-l", image).isDone().out()).contains(" 5 ").doesNotContain("junk");
    assertThat(Processes.run("dumpe2fs", "-h", image.toString()).out())
        .contains("extent")
        .doesNotContain("has_journal", "inline_data");
    assertThat(Xip.run("pack", "--owner", "root", tree, image).exit()).isEqualTo(2);
    assertThat(Xip.run("pack", "--exclude", "[", tree, image).exit()).isEqualTo(2);
  }

  @Test
  void excludedFilesAndOwnersAreThoseOfAnErofsImageToo() throws Exception {
    Judge.program("mkfs.erofs");
    Judge.program("dump.erofs");
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.writeString(Files.createDirectory(tree.resolve("sub")).resolve("junk.o"), "junk");
    Files.writeString(tree.resolve("kept"), "kept");
    Path image = folder.resolve("image");
    Xip.run("pack", "--format=erofs", "--exclude=sub/*.o", "--owner=5:6", tree, image).isDone();
    assertThat(Processes.run("dump.erofs", "--path=/kept", image.toString()).out())
        .containsPattern("Uid: *5 +Gid: *6");
    assertThat(Xip.run("ls", "-R", image).isDone().out()).contains("kept").doesNotContain("junk");
  }

  @Test
  void aTarArchiveIsPacked() throws Exception {
    Path tree = Trees.small(folder.resolve("tree"));
    Path tar = folder.resolve("a.tar");
    Path image = folder.resolve("image");
    Processes.run("tar", "-C", tree.toString(), "-cf", tar.toString(), ".");
    for (String format : new String[] {"ext2", "ext4"}) {
      assertThat(Xip.run("pack", "--format", format, "--tar", tar, image).isDone().out())
          .contains(": %s, ".formatted(format), "6 files with");
    }
    assertThat(Xip.run("pack", "--tar", tar, tree, image).exit()).isEqualTo(2);
    assertThat(Xip.run("pack", image).exit()).isEqualTo(2);
    assertThat(Xip.run("pack", "--tar", image, folder.resolve("other")).failsWithOneLine())
        .contains("is no whole tar archive");
  }

  @Test
  void aSocketIsLeftOutAndNamed() throws Exception {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    var address = UnixDomainSocketAddress.of(tree.resolve("socket"));
    try (var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(address);
      assertThat(Xip.run("pack", tree, folder.resolve("image")).isDone().out())
          .contains("left out: %s/socket: a socket".formatted(tree));
    }
  }

  @Test
  void aFailedPackLeavesTheOldImageAndNothingElse() throws Exception {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.writeString(tree.resolve("file"), "x".repeat(100_000));
    Path image = Files.writeString(folder.resolve("image"), "precious");
    ProcessBuilder limited = Xip.builder("pack", tree, image);
    // No file may grow past 100 KiB: mke2fs fails in the middle.
    limited.command().addAll(0, List.of(Judge.program("prlimit").toString(), "--fsize=102400"));
    Xip.run(limited).failsWithOneLine();
    assertThat(image).hasContent("precious");
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).containsExactlyInAnyOrder(tree, image);
    }
  }

  @Test
  void aDiskThatIsFullHalfWayThroughLeavesTheOldImage() throws Exception {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Trees.write(tree.resolve("large"), 0, 16 << 20, new Random(1));
    Path disk = Files.createDirectory(folder.resolve("disk"));
    ProcessBuilder builder = Xip.builder("pack", tree, disk.resolve("image"));
    // Room for the image that mke2fs makes, but not for the files to be put into it.
    String small =
        "mount -t tmpfs -o size=9m none \"$0\"; echo precious > \"$0/image\";"
            + " \"$@\"; code=$?; cat \"$0/image\"; ls -A \"$0\"; exit $code";
    builder.command().addAll(0, List.of("sh", "-c", small, disk.toString()));
    builder.command().addAll(0, Judge.inMountNamespace());
    Xip.Result result = Xip.run(builder);
    assertThat(result.failsWithOneLine()).endsWith("disk/image: No space left on device\n");
    assertThat(result.out()).isEqualTo("precious\nimage\n");
  }

  @Test
  void whatIsPackedAndCopiedOutIsTheSame() throws Exception {
    Path tree = HardTree.make(folder.resolve("tree"));
    Path image = folder.resolve("image");
    Xip.run("pack", tree, image).isDone();
    Path copy = folder.resolve("copy");
    Xip.run("cp", "-r", image, "/", copy).isDone();
    HardTree.requireSame(tree, copy);
  }

  @Test
  void everyFileOfManyMayNeedABlockForItsAttributes() throws Exception {
    Judge.program("setfattr");
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Path first = Files.createFile(tree.resolve("f0"));
    String value = "v".repeat(300);
    Processes.Output tried =
        Processes.runAny("setfattr", "-n", "user.x", "-v", value, first.toString());
    Judge.needs(tried.exit() == 0, "a file system with extended attributes for temporary files");
    for (int i = 1; i < 500; i++) {
      Path file = Files.createFile(tree.resolve("f" + i));
      Files.getFileAttributeView(file, UserDefinedFileAttributeView.class)
          .write("x", ByteBuffer.wrap((value + i).getBytes(StandardCharsets.US_ASCII)));
    }
    Path image = folder.resolve("image");
    Xip.run("pack", tree, image).isDone();
    Processes.run("e2fsck", "-fn", image.toString());
    assertThat(Xip.run("stat", image, "/f499").isDone().out())
        .contains("   xattr  user.x=\"%s499\"\n".formatted(value));
    JsonNode json = Xip.run("stat", "--json", image, "/f0").isDone().json();
    assertThat(json.get("xattrs").get(0).get("name").asText()).isEqualTo("user.x");
    assertThat(json.get("xattrs").get(0).get("valueHex").asText()).isEqualTo("76".repeat(300));
  }

  @Test
  void nothingOfTheHostsConfigurationGetsIntoTheImage() throws Exception {
    Path tree = Trees.small(folder.resolve("tree"));
    Path image = folder.resolve("image");
    Path configuration =
        Files.writeString(
            folder.resolve("mke2fs.conf"),
            "[defaults]\n\tbase_features = sparse_super,extent,64bit,flex_bg,metadata_csum\n"
                + "\tinode_size = 128\n\tblocksize = 1024\n");
    ProcessBuilder builder = Xip.builder("pack", tree, image);
    builder.environment().put("MKE2FS_CONFIG", configuration.toString());
    builder.environment().put("MKE2FS_DEVICE_PHYS_SECTSIZE", "8192");
    Xip.run(builder).isDone();
    String facts = Processes.run("dumpe2fs", "-h", image.toString()).out();
    assertThat(facts)
        .containsPattern("features: +ext_attr dir_index filetype sparse_super large_file\n")
        .containsPattern("Inode size:\t +256\n");
    assertThat(Xip.run("cat", image, "/hello.txt").isDone().out()).isEqualTo("hello\n");
  }

  @Test
  void timesOfFiveHundredYearsComeBack() throws Exception {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    String[] times = {
      "1901-12-14T00:00:00.000000001Z", "1969-12-31T23:59:59.999999999Z",
      "2040-01-01T00:00:00.500Z", "2446-05-10T22:38:54.123Z"
    };
    for (String each : times) {
      Path file = Files.createFile(tree.resolve(each));
      Processes.run("touch", "-d", each, file.toString());
      String kept = Processes.run("stat", "-c", "%Y", file.toString()).out().strip();
      Judge.needs(
          kept.equals("" + Instant.parse(each).getEpochSecond()),
          "a file system with times to 2446");
    }
    Path image = folder.resolve("image");
    Xip.run("pack", tree, image).isDone();
    for (String each : times) {
      JsonNode json = Xip.run("stat", "--json", image, "/" + each).isDone().json();
      assertThat(Instant.parse(json.get("modified").asText())).isEqualTo(Instant.parse(each));
    }
  }

  @Test
  void packingAgainKeepsTheModeOfTheImage() throws Exception {
    Path tree = Trees.small(folder.resolve("tree"));
    Path image = folder.resolve("image");
    Xip.run("pack", tree, image).isDone();
    Files.setPosixFilePermissions(image, PosixFilePermissions.fromString("rw-------"));
    Xip.run("pack", tree, image).isDone();
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(image)))
        .isEqualTo("rw-------");
  }

  @Test
  void aFileThatMayNotBeReadIsNamed() throws Exception {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Path secret = Files.writeString(tree.resolve("secret"), "text");
    Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("---------"));
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
    ProcessBuilder builder = Xip.builder("pack", tree, folder.resolve("image"));
    builder.command().addAll(0, Judge.isRoot() ? Judge.asNobody() : List.of());
    assertThat(Xip.run(builder).failsWithOneLine())
        .isEqualTo("xip: %s: Permission denied\n".formatted(secret));
    assertThat(folder.resolve("image")).doesNotExist();
  }

  @Test
  void whatMkfsErofsLosesIsNamed() throws Exception {
    Judge.program("mkfs.erofs");
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.createDirectory(tree.resolve("lost+found"));
    assertThat(Xip.run("pack", "--format", "erofs", tree, folder.resolve("image")).isDone().out())
        .contains("not kept: %s/lost+found: mkfs.erofs leaves out".formatted(tree));
  }

  @Test
  void largeFilesAreAlignedAndCounted() throws Exception {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Trees.write(tree.resolve("large"), 0, 9 << 20, new Random(1));
    Path image = folder.resolve("image");
    assertThat(Xip.run("pack", tree, image).isDone().out())
        .contains("aligned to 2 MiB: 8 of 9 MiB of large files");
    JsonNode json = Xip.run("pack", "--json", tree, image).isDone().json();
    assertThat(json.get("largeBytes").asLong()).isEqualTo(9 << 20);
    assertThat(json.get("alignedBytes").asLong()).isEqualTo(8 << 20);
  }

  @Test
  void wrongArgumentsAreOneLine() throws Exception {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Path file = Files.createFile(folder.resolve("file"));
    Path image = folder.resolve("image");
    assertThat(Xip.run("pack", folder.resolve("no"), image).failsWithOneLine())
        .contains("/no: No such file or directory");
    assertThat(Xip.run("pack", file, image).failsWithOneLine()).contains("Not a directory");
    assertThat(Xip.run("pack", tree, tree).failsWithOneLine()).contains("Is a directory");
    assertThat(Xip.run("pack", tree, tree.resolve("inside")).failsWithOneLine())
        .contains("lies inside");
    assertThat(Xip.run("pack", tree, folder.resolve("no/image")).failsWithOneLine())
        .contains("/no: No such file or directory");
    assertThat(image).doesNotExist();
  }

  @Test
  void aMissingToolIsNamedWithItsPackage() throws IOException, InterruptedException {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    ProcessBuilder builder = Xip.builder("pack", tree, folder.resolve("image"));
    // An empty folder over each place where the tool could lie, in a mount namespace of its own.
    String hide =
        "for d in /usr/local/sbin /usr/sbin; do mount -t tmpfs none $d; done;"
            + " PATH=/usr/bin:/bin; exec \"$@\"";
    builder.command().addAll(0, List.of("sh", "-c", hide, "sh"));
    builder.command().addAll(0, Judge.inMountNamespace());
    Xip.Result result = Xip.run(builder);
    assertThat(result.failsWithOneLine())
        .isEqualTo(
            "xip: mke2fs not found on PATH or in /usr/sbin: install the package e2fsprogs\n");
  }
}
