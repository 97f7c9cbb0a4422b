package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.mount.OpenImage;
import dev.xip.testing.Processes;
import dev.xip.testing.SplitImages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An image that lies in adjacent segments is read by the commands that read an image file. */
class SegmentImageIT {
  private static final String IMAGE = "segment:c:A:b";

  @TempDir static Path folder;

  private static Path image;
  private static Path store;

  @BeforeAll
  static void cut() throws IOException, InterruptedException {
    image = SplitImages.image(folder);
    store = folder.resolve("store");
    long[] cuts;
    try (OpenImage whole = OpenImage.open(image)) {
      cuts = SplitImages.cuts(whole.image(), false);
    }
    String names = "ABC";
    for (SplitImages.Piece piece : SplitImages.pieces(image, cuts)) {
      String name = names.substring(0, 1);
      names = names.substring(1);
      String at = Long.toString(piece.address());
      Xip.run("segment", "define", name, "--from", piece.file(), "--at", at, "--store", store)
          .isDone();
    }
  }

  private static String ofFile(String... command) throws IOException, InterruptedException {
    return run(image.toString(), command);
  }

  private static String ofSegments(String... command) throws IOException, InterruptedException {
    String out = run(IMAGE, command);
    // Only the image's name differs.
    return out.replace("segment:C:A:B", image.toString());
  }

  private static String run(String name, String... command)
      throws IOException, InterruptedException {
    for (int i = 0; i < command.length; i++) {
      command[i] = command[i].equals("IMAGE") ? name : command[i];
    }
    ProcessBuilder builder = Xip.builder((Object[]) command);
    builder.environment().put("XIP_STORE", store.toString());
    return Xip.run(builder).isDoneButForOwners().out();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ls -l -R IMAGE",
        "ls --json -R IMAGE",
        "cat IMAGE larger sub/file7 holes large",
        "stat IMAGE larger",
        "stat --json IMAGE large",
        "check IMAGE",
        "check --json IMAGE"
      })
  void aCommandPrintsTheSame(String command) throws Exception {
    assertThat(ofSegments(command.split(" "))).isEqualTo(ofFile(command.split(" "))).isNotEmpty();
  }

  @Test
  void aCopyOfItIsACopyOfTheUnsplitOne() throws Exception {
    Path one = Files.createDirectory(folder.resolve("one"));
    Path other = Files.createDirectory(folder.resolve("other"));
    ofFile("cp", "-r", "IMAGE", "/", one.toString());
    ofSegments("cp", "-r", "IMAGE", "/", other.toString());
    Processes.run("diff", "-r", "--no-dereference", one.toString(), other.toString());
    assertThat(other.resolve("larger")).hasSize(12_345_678);
  }

  @Test
  void theStoreCanBeNamedAsAnOption() throws Exception {
    assertThat(Xip.run("cat", "--store", store, IMAGE, "hello.txt").isDone().out())
        .isEqualTo("hello\n");
  }

  @Test
  void aSegmentThatCannotBeReadIsOneLineWithTheCode() throws Exception {
    assertThat(Xip.run("ls", "segment:A:B", "--store", store).failsWithOneLine())
        .contains("segment:A:B");
    assertThat(Xip.run("ls", "segment:A:C", "--store", store).failsWithOneLine())
        .contains("EINVAL: segment device: segment C: expected it to start at");
    assertThat(Xip.run("ls", "segment:A:NONE", "--store", store).failsWithOneLine())
        .contains("ENOENT: segment NONE");
    assertThat(Xip.run("ls", "segment:A:", "--store", store).failsWithOneLine())
        .contains("ENAMETOOLONG");
  }
}
