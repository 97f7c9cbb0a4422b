package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.TempDir;

/** Each kind of bad input gives exit code 1 and one line with file, offset, expected and found. */
class DamagedImageIT {
  private static final long SUPERBLOCK = 1024;
  private static final long MAGIC = SUPERBLOCK + 56;
  private static final long FEATURES_INCOMPATIBLE = SUPERBLOCK + 96;
  private static final long BLOCK_POINTERS = 40;

  @TempDir static Path folder;

  private static Path tree;
  private static Path good;

  /** A fresh copy of the good image for each test. */
  private Path image;

  @BeforeAll
  static void makeImage() throws IOException {
    tree = Trees.small(folder.resolve("tree"));
    good = Images.ext2(tree);
  }

  @BeforeEach
  void copyImage(TestInfo info) throws IOException {
    image = Files.copy(good, folder.resolve(info.getTestMethod().orElseThrow().getName()));
  }

  @Test
  void aMissingFile() throws Exception {
    assertThat(Xip.run("ls", folder.resolve("nothing")).failsWithOneLine())
        .isEqualTo("xip: %s/nothing: No such file or directory\n".formatted(folder));
  }

  @Test
  void aDirectoryInItsPlace() throws Exception {
    assertThat(Xip.run("ls", tree).failsWithOneLine())
        .isEqualTo("xip: %s: Is a directory\n".formatted(tree));
  }

  @Test
  void aFileUsedAsADirectory() throws Exception {
    assertThat(Xip.run("ls", image.resolve("below")).failsWithOneLine())
        .contains("Not a directory");
  }

  @Test
  void aDevice() throws Exception {
    assertThat(Xip.run("ls", "/dev/null").failsWithOneLine())
        .isEqualTo("xip: /dev/null: Not a regular file or block device\n");
  }

  @Test
  void aFileThatMayNotBeRead() throws Exception {
    ProcessBuilder builder = Xip.builder("ls", image);
    if (Judge.isRoot()) {
      // Root may read everything, so the command runs as the user nobody.
      Processes.run("chmod", "755", folder.toString());
      Path command = Files.createDirectory(folder.resolve("command"));
      builder = Xip.builderAsNobody(command, "ls", image);
    }
    Processes.run("chmod", "0", image.toString());
    assertThat(Xip.run(builder).failsWithOneLine()).contains("Permission denied");
  }

  @Test
  void anEmptyFile() throws Exception {
    Path empty = Files.createFile(folder.resolve("empty-file"));
    assertThat(Xip.run("ls", empty).failsWithOneLine())
        .isEqualTo(
            "xip: %s: at byte 0x0: expected a file-system image, found an empty file\n"
                .formatted(empty));
  }

  @Test
  void aFileTooShortForASuperblock() throws Exception {
    cut(1000);
    assertThat(lineOf("ls", image)).contains("found the end before 0x438");
  }

  @Test
  void aTruncatedImage() throws Exception {
    cut(Files.size(image) / 2);
    assertThat(lineOf("ls", image)).isNotEmpty();
  }

  @Test
  void aZeroedSuperblock() throws Exception {
    write(SUPERBLOCK, new byte[1024]);
    assertThat(lineOf("ls", image))
        .contains("at byte 0x438", "0xef53", "0xe0f5e1e2", "found 0x0000");
  }

  @Test
  void aWrongMagic() throws Exception {
    write(MAGIC, new byte[] {0x34, 0x12});
    assertThat(lineOf("ls", image)).contains("at byte 0x438", "0xef53", "found 0x1234");
  }

  @Test
  void anUnknownIncompatibleFeature() throws Exception {
    write(FEATURES_INCOMPATIBLE + 3, new byte[] {0x40});
    assertThat(lineOf("ls", image)).contains("0x40000000");
  }

  @Test
  void aBlockNumberPastTheEnd() throws Exception {
    long inode = stat("/hello.txt").get("inodeOffset").asLong();
    writeInt(inode + BLOCK_POINTERS, 0x7fff_fff0);
    assertThat(lineOf("cat", image, "/hello.txt"))
        .contains("at byte 0x%x".formatted(inode + BLOCK_POINTERS));
    assertThat(lineOf("check", image)).contains("at byte");
  }

  @Test
  void anIndirectBlockPastTheEnd() throws Exception {
    long inode = stat("/indirect").get("inodeOffset").asLong();
    writeInt(inode + BLOCK_POINTERS + 12 * 4, 0x7fff_fff0);
    assertThat(lineOf("cat", image, "/indirect")).contains("at byte");
  }

  @Test
  void anIndirectBlockThatPointsToItself() throws Exception {
    long inode = stat("/indirect").get("inodeOffset").asLong();
    int block = readInt(inode + BLOCK_POINTERS + 12 * 4);
    writeInt(block * 4096L, block);
    assertThat(lineOf("cat", image, "/indirect")).contains("found block %d twice".formatted(block));
  }

  @Test
  void aDirectoryEntryOfLengthZero() throws Exception {
    long entries = stat("/sub").get("extents").get(0).get("imageOffset").asLong();
    write(entries + 12 + 4, new byte[2]);
    assertThat(lineOf("ls", image, "/sub"))
        .contains("at byte 0x%x".formatted(entries + 12 + 4), "a directory entry");
  }

  @Test
  void aDirectoryEntryPastItsBlock() throws Exception {
    long entries = stat("/sub").get("extents").get(0).get("imageOffset").asLong();
    write(entries + 12 + 4, new byte[] {(byte) 0xf8, 0x0f});
    assertThat(lineOf("ls", image, "/sub"))
        .contains("at byte 0x%x".formatted(entries + 12 + 4), "a directory entry");
  }

  @Test
  void aDirectoryThatHoldsItself() throws Exception {
    JsonNode sub = stat("/sub");
    long entries = sub.get("extents").get(0).get("imageOffset").asLong();
    writeInt(entries + 24, sub.get("inode").asInt());
    assertThat(lineOf("ls", "-R", image)).contains("second time");
    Path out = folder.resolve("out");
    assertThat(lineOf("cp", "-r", image, "/", out)).contains("second time");
  }

  @Test
  void aFolderThatHoldsANameTwice() throws Exception {
    long first = entryOf("sub", "deeper");
    Images.debugfsWrite(image, "ln hello.txt sub/deepex");
    long second = entryOf("sub", "deepex");
    write(second + 8, "deeper".getBytes());
    Path out = folder.resolve("two-names");
    for (String line : List.of(lineOf("check", image), lineOf("cp", "-r", image, "/sub", out))) {
      assertThat(line)
          .contains("at byte 0x%x".formatted(second))
          .contains(
              "each name once in directory inode %d".formatted(stat("/sub").get("inode").asLong()))
          .contains("deeper for inode %d".formatted(stat("/hello.txt").get("inode").asLong()))
          .contains("as at byte 0x%x for inode".formatted(first));
    }
    assertThat(lineOf("check", image)).contains("in folder sub");
    assertThat(out.resolve("deeper")).doesNotExist();
  }

  /** {@return the offset of an entry of a folder} */
  private long entryOf(String folder, String name) throws Exception {
    byte[] bytes = Files.readAllBytes(image);
    int at = stat("/" + folder).get("extents").get(0).get("imageOffset").asInt();
    String block = new String(bytes, at, 4096, StandardCharsets.ISO_8859_1);
    return at + block.indexOf(name) - 8;
  }

  private String lineOf(Object... arguments) throws Exception {
    String line = Xip.run(arguments).failsWithOneLine();
    assertThat(line).containsPattern("^xip: .*: at byte 0x[0-9a-f]+: expected .*, found .*\n$");
    return line;
  }

  private JsonNode stat(String path) throws Exception {
    return Xip.run("stat", "--json", image, path).isDone().json();
  }

  private void cut(long bytes) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(bytes);
    }
  }

  private void write(long offset, byte[] bytes) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.seek(offset);
      file.write(bytes);
    }
  }

  private void writeInt(long offset, int value) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.seek(offset);
      file.writeInt(Integer.reverseBytes(value));
    }
  }

  private int readInt(long offset) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "r")) {
      file.seek(offset);
      return Integer.reverseBytes(file.readInt());
    }
  }
}
