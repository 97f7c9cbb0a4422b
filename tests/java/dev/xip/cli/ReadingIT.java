package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.xip.testing.Images;
import dev.xip.testing.Processes;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code ls}, {@code cat}, {@code stat} and {@code check} read an image made by mke2fs. */
class ReadingIT {
  @TempDir static Path folder;

  private static Path tree;
  private static Path image;

  @BeforeAll
  static void makeImage() throws IOException {
    tree = Trees.small(folder.resolve("tree"));
    Files.createFile(Trees.child(tree, new byte[] {'b', (byte) 0xff, 'd'}));
    Files.writeString(Trees.child(tree, "ä".getBytes(StandardCharsets.UTF_8)), "umlaut\n");
    image = Images.ext2(tree);
    Images.debugfsWrite(
        image,
        "mknod chardev c 5 1",
        "mknod pipe p",
        "set_inode_field hello.txt mode 0106755",
        "set_inode_field hello.txt uid 70000",
        "set_inode_field hello.txt gid 80000",
        "set_inode_field sub mode 041777");
  }

  @Test
  void lsListsNamesAsTheirBytes() throws Exception {
    String expected =
        "b\u00ffd chardev dangling empty hello.txt holes indirect link loop lost+found pipe sub"
            + " two-pages \u00c3\u00a4";
    assertThat(Xip.run("ls", image).isDone().out().lines().toList())
        .isEqualTo(List.of(expected.split(" ")));
  }

  @Test
  void lsLongShowsModesOwnersDevicesAndTargets() throws Exception {
    String text = Xip.run("ls", "-l", image, "/").isDone().out();
    assertThat(text)
        .containsPattern("(?m)^-rwsr-sr-x 2 70000 80000 +6 \\d{4}-\\d\\d-\\d\\d .* hello.txt$");
    assertThat(text).containsPattern("(?m)^c.* 5, 1 .* chardev$");
    assertThat(text).containsPattern("(?m)^p.* pipe$");
    assertThat(text).containsPattern("(?m)^drwxrwxrwt .* sub$");
    assertThat(text).containsPattern("(?m)^lrwxrwxrwx .* link -> sub/deeper/below$");
  }

  @Test
  void lsGoesDownIntoDirectories() throws Exception {
    assertThat(Xip.run("ls", "-R", image, "/sub").isDone().out())
        .isEqualTo("/sub:\ndeeper\n\n/sub/deeper:\nabsolute\nbelow\nhard\nup\n");
  }

  @Test
  void lsOfAFileNamesIt() throws Exception {
    assertThat(Xip.run("ls", image, "/hello.txt").isDone().out()).isEqualTo("/hello.txt\n");
  }

  @Test
  void lsAsJsonHasAllAttributesAndBytesThatAreNotText() throws Exception {
    JsonNode json = Xip.run("ls", "-R", "--json", image).isDone().json();
    JsonNode odd = null;
    JsonNode hello = null;
    for (JsonNode each : json.get("entries")) {
      odd = each.has("pathHex") ? each : odd;
      hello = each.get("path").asText().equals("/hello.txt") ? each : hello;
    }
    assertThat(odd.get("pathHex").asText()).isEqualTo("2f62ff64");
    assertThat(hello.get("mode").asText()).isEqualTo("6755");
    assertThat(hello.get("uid").asLong()).isEqualTo(70000);
    assertThat(hello.get("type").asText()).isEqualTo("regular");
  }

  @Test
  void catPrintsEveryByteOfEveryFileAsDebugfsDoes() throws Exception {
    for (String file : List.of("hello.txt", "empty", "two-pages", "indirect", "holes", "ä")) {
      String expected = Processes.run("debugfs", "-R", "cat " + file, image.toString()).out();
      assertThat(Xip.run("cat", image, "/" + file).isDone().out()).as(file).isEqualTo(expected);
    }
  }

  @Test
  void catOfSeveralPathsPrintsThemInOrderAndFollowsLinks() throws Exception {
    assertThat(
            Xip.run("cat", image, "/ä", "sub/deeper/absolute", "/sub/../hello.txt").isDone().text())
        .isEqualTo("umlaut\nhello\nhello\n");
  }

  @Test
  void catReachesANameThatIsNotUtf8() throws Exception {
    ProcessBuilder shell =
        new ProcessBuilder(
            "sh",
            "-c",
            "exec \"$1\" cat \"$2\" \"$(printf 'b\\377d')\"",
            "sh",
            Xip.launcher().toString(),
            image.toString());
    Xip.run(shell).isDone();
    shell.command().set(2, "exec \"$1\" cat \"$2\" \"$(printf 'b\\376d')\"");
    assertThat(Xip.run(shell).failsWithOneLine()).contains("No such file or directory");
  }

  @Test
  void catIntoAFileKeepsTheBytes() throws Exception {
    Path copy = folder.resolve("copy-of-holes");
    ProcessBuilder shell =
        new ProcessBuilder(
            "sh",
            "-c",
            "echo before >\"$3\"; \"$1\" cat \"$2\" /holes >>\"$3\"",
            "sh",
            Xip.launcher().toString(),
            image.toString(),
            copy.toString());
    Xip.run(shell).isDone();
    byte[] all = Files.readAllBytes(copy);
    assertThat(Arrays.copyOfRange(all, 7, all.length))
        .isEqualTo(Files.readAllBytes(tree.resolve("holes")));
  }

  @Test
  void aClosedPipeEndsQuietly() throws Exception {
    Process process = Xip.builder("cat", image, "/holes").start();
    try (InputStream out = process.getInputStream()) {
      assertThat(out.readNBytes(1)).hasSize(1);
    }
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.getErrorStream().readAllBytes()).isEmpty();
    assertThat(process.exitValue()).isZero();
  }

  @Test
  void anImageCutWhileItIsReadIsOneLine() throws Exception {
    Path other = Files.createDirectory(folder.resolve("cut"));
    Trees.write(other.resolve("big"), 0, 16 << 20, new Random(7));
    Path cut = Images.ext2(other);
    Process process = Xip.builder("cat", cut, "/big").start();
    try (InputStream out = process.getInputStream()) {
      assertThat(out.readNBytes(1)).hasSize(1);
      try (RandomAccessFile file = new RandomAccessFile(cut.toFile(), "rw")) {
        file.setLength(1 << 20);
      }
      out.skipNBytes(1 << 10);
      while (out.read(new byte[1 << 16]) >= 0) {
        continue;
      }
    }
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8))
        .startsWith("xip: " + cut + ": at byte 0x")
        .contains("truncated")
        .hasLineCount(1);
    assertThat(process.exitValue()).isEqualTo(1);
  }

  @Test
  void statShowsExtentsWhereDebugfsHasTheBlocks() throws Exception {
    JsonNode json = Xip.run("stat", "--json", image, "/indirect").isDone().json();
    long covered = 0;
    for (JsonNode extent : json.get("extents")) {
      long fileOffset = extent.get("fileOffset").asLong();
      long length = extent.get("length").asLong();
      for (long at = 0; at < length; at += 4096) {
        String asked = "bmap indirect " + (fileOffset + at) / 4096;
        String block = Processes.run("debugfs", "-R", asked, image.toString()).out().strip();
        assertThat((extent.get("imageOffset").asLong() + at) / 4096)
            .isEqualTo(Long.parseLong(block));
      }
      covered += length;
    }
    assertThat(covered).isEqualTo((200_001 + 4095) / 4096 * 4096);
    assertThat(json.get("verdict").asText()).isEqualTo("in_place");
  }

  @Test
  void statOfALinkShowsTheLink() throws Exception {
    assertThat(Xip.run("stat", image, "/loop").isDone().out())
        .contains("/loop -> loop")
        .contains("symlink");
  }

  @Test
  void checkCountsEachFileOnceAndSaysWhetherItIsInPlace() throws Exception {
    JsonNode json = Xip.run("check", "--json", image).isDone().json();
    long bytes = 0;
    for (JsonNode each : json.get("files")) {
      assertThat(each.get("verdict").asText()).isEqualTo("in_place");
      bytes += each.get("bytes").asLong();
    }
    JsonNode sum = json.get("sums").get("in_place");
    assertThat(sum.get("files").asInt()).isEqualTo(json.get("files").size()).isEqualTo(8);
    assertThat(sum.get("bytes").asLong()).isEqualTo(bytes);
    assertThat(Xip.run("check", "--all", image, "/sub/deeper").isDone().out())
        .contains("/sub/deeper/below\n")
        .contains("in place: 2 files with 106 bytes");
  }

  @Test
  void checkNamesOnlyTheFilesThatAreNotInPlace() throws Exception {
    assertThat(Xip.run("check", image).isDone().out())
        .doesNotContain("hello.txt")
        .contains("in place: 8 files with ")
        .hasLineCount(2);
    Path inline = folder.resolve("inline.img");
    Images.ext("ext4", tree, inline, "-b", "4096", "-O", "inline_data", "-I", "256");
    assertThat(Xip.run("check", inline).isDone().out())
        .containsPattern("(?m)^inline data +6 +\\d extents  /hello.txt$")
        .contains("inline data, by copy: ")
        .doesNotContain("/two-pages");
  }

  @Test
  void sizesAreThoseOfLsUnlessBytesAreAskedFor() throws Exception {
    for (String file : List.of("two-pages", "indirect", "holes", "empty")) {
      String readable = Processes.run("ls", "-lh", tree.resolve(file).toString()).out();
      assertThat(Xip.run("ls", "-l", image, file).isDone().out().split(" +")[4])
          .isEqualTo(readable.split(" +")[4]);
      assertThat(Xip.run("ls", "-l", "--bytes", image, file).isDone().out().split(" +")[4])
          .isEqualTo(Long.toString(Files.size(tree.resolve(file))));
    }
    assertThat(Xip.run("stat", image, "/indirect").isDone().out())
        .contains("    size  196K, 200,001 bytes in ");
    assertThat(Xip.run("check", "--bytes", image).isDone().out()).contains(",").contains(" bytes");
  }

  @Test
  void aLoopOfLinksIsRefused() throws Exception {
    assertThat(Xip.run("cat", image, "/loop").failsWithOneLine())
        .isEqualTo("xip: %s:/loop: Too many levels of symbolic links\n".formatted(image));
  }

  @Test
  void catOfADirectoryIsRefused() throws Exception {
    assertThat(Xip.run("cat", image, "/sub").failsWithOneLine()).contains("/sub: Is a directory");
    assertThat(Xip.run("cat", image, "/chardev").failsWithOneLine()).contains("Not a regular file");
    assertThat(Xip.run("cat", image, "/hello.txt/x").failsWithOneLine())
        .contains("Not a directory");
  }

  @Test
  void verboseShowsTheTrace() throws Exception {
    Xip.Result result = Xip.run("--verbose", "cat", image, "/nothing");
    assertThat(result.exit()).isEqualTo(1);
    assertThat(result.err())
        .startsWith("xip: %s:/nothing: No such file or directory\n".formatted(image))
        .contains("\tat dev.xip.cli.CatCommand");
  }
}
