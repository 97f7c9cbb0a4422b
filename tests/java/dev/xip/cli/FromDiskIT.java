package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Disks;
import dev.xip.testing.Folders;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.LoopDevice;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Segments take their contents from partitions of disks and from ranges, whatever is in them. */
class FromDiskIT {
  private static final int SECTOR = 512;
  private static final int SECTORS = 20480;
  private static final int BYTES = SECTORS * SECTOR;
  private static final int FIRST = 1 << 20;
  private static final String HOME = "933ac7e1-2eb4-4f13-b844-0e14e2aef915";
  private static final String UUID = "0f0f0f0f-1234-5678-9abc-def012345678";
  private static final String CONTENT = "bytes of a file\n".repeat(500);

  private static Path folder;
  private static Path disk;
  private static byte[] bytes;

  @BeforeAll
  static void makeDisk() throws IOException {
    folder = Files.createTempDirectory("xip-from-disk");
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.writeString(tree.resolve("file"), CONTENT);
    List<Path> images = new ArrayList<>();
    images.add(Images.ext2(tree, folder.resolve("one"), "-b", "1024", "-U", UUID));
    images.add(Images.ext("ext4", tree, folder.resolve("two"), "-b", "4096", "-L", "root fs"));
    Judge.program("mkfs.erofs");
    images.add(Images.erofs(tree, folder.resolve("three")));
    List<Disks.Part> parts = new ArrayList<>();
    disk = Disks.empty(folder.resolve("disk.img"), 2 * FIRST + 3 * BYTES);
    for (int i = 0; i < images.size(); i++) {
      long start = FIRST + (long) i * BYTES;
      String type = i == 2 ? HOME : Disks.LINUX;
      parts.add(new Disks.Part(i + 1, start / SECTOR, SECTORS, type, "part " + (i + 1)));
      byte[] image = Files.readAllBytes(images.get(i));
      assertThat(image.length).isLessThanOrEqualTo(BYTES);
      Disks.put(disk, start, image);
    }
    Disks.gpt(disk, SECTOR, parts);
    bytes = Files.readAllBytes(disk);
  }

  @AfterEach
  void removeStore() throws IOException {
    if (Files.exists(folder.resolve("store"))) {
      Folders.delete(folder.resolve("store"));
    }
  }

  @AfterAll
  static void remove() throws IOException {
    Folders.delete(folder);
  }

  private static Xip.Result xip(String... arguments) throws Exception {
    ProcessBuilder builder = Xip.builder((Object[]) arguments);
    builder.environment().put("XIP_STORE", folder.resolve("store").toString());
    return Xip.run(builder);
  }

  private static byte[] data(int version) throws IOException {
    return Files.readAllBytes(folder.resolve("store/A.%d.data".formatted(version)));
  }

  private static byte[] ofDisk(int from, int length) {
    return Arrays.copyOfRange(bytes, from, from + length);
  }

  @ParameterizedTest
  @CsvSource({"0, 1", "0, uuid=" + UUID, "1, label=root fs", "2, label=part 3", "2, type=home"})
  void aPartitionOfEveryFormatBecomesASegment(int index, String partition) throws Exception {
    assertThat(xip("segment", "define", "A", "--from", disk + ":" + partition).isDone().out())
        .startsWith("A: SR [0x100000000, 0x100a00000), 10M, version 1");
    assertThat(data(1)).isEqualTo(ofDisk(FIRST + index * BYTES, BYTES));
    assertThat(xip("cat", "segment:A", "/file").isDone().out()).isEqualTo(CONTENT);
  }

  @Test
  void aRangeBecomesASegment() throws Exception {
    String file = disk.toString();
    xip("segment", "define", "A", "--from", file, "--offset", "1M", "--size", "10M").isDone();
    assertThat(data(1)).isEqualTo(ofDisk(FIRST, BYTES));
  }

  @Test
  void aRangeNeedsNoWholePages() throws Exception {
    String file = disk.toString();
    xip("segment", "define", "A", "--from", file, "--offset", "0x10040d", "--size", "5000")
        .isDone();
    assertThat(data(1))
        .isEqualTo(Arrays.copyOf(ofDisk(FIRST + 0x40d, 5000), 8192))
        .startsWith(ofDisk(0x10040d, 5000));
  }

  @Test
  void aRangeGoesOnToTheEndOfTheFile() throws Exception {
    String offset = Integer.toString(bytes.length - FIRST - 100);
    xip("segment", "define", "A", "--from", disk.toString(), "--offset", offset).isDone();
    assertThat(data(1)).startsWith(ofDisk(bytes.length - FIRST - 100, FIRST + 100));
  }

  @Test
  void aPartitionOfADiskInARangeBecomesASegment() throws Exception {
    Path shifted = folder.resolve("shifted");
    Disks.put(Disks.empty(shifted, 3 * SECTOR + bytes.length + 1), 3 * SECTOR, bytes);
    String from = shifted + ":2";
    String length = Integer.toString(bytes.length);
    xip("segment", "define", "A", "--from", from, "--offset", "1536", "--size", length).isDone();
    assertThat(data(1)).isEqualTo(ofDisk(FIRST + BYTES, BYTES));
  }

  @Test
  void aSegmentMayBeLongerThanItsPartitionButNotShorter() throws Exception {
    xip("segment", "define", "A", "--from", disk + ":2", "--size", "11M").isDone();
    assertThat(data(1)).isEqualTo(Arrays.copyOf(ofDisk(FIRST + BYTES, BYTES), 11 << 20));
    assertThat(xip("segment", "define", "B", "--from", disk + ":2", "--size", "7M").err())
        .contains("expected at most 0x700000 bytes, the segment's size, found 0xa00000 bytes");
  }

  @Test
  void aNewVersionComesFromAPartitionOrRangeToo() throws Exception {
    xip("segment", "define", "A", "--size", "10M").isDone();
    xip("segment", "save", "A", "--from", disk + ":label=root fs").isDone();
    assertThat(data(2)).isEqualTo(ofDisk(FIRST + BYTES, BYTES));
    xip("segment", "save", "A", "--from", disk.toString(), "--offset=1M", "--size=4K").isDone();
    assertThat(data(3)).isEqualTo(Arrays.copyOf(ofDisk(FIRST, 4096), BYTES));
  }

  @ParameterizedTest
  @CsvSource({":7, 0", ":x, 0", ":type=linux, 0", "'', 1G"})
  void aPlaceThatIsNotThereIsRefusedAsByOtherCommands(String place, String offset)
      throws Exception {
    String named = disk + place;
    String from = "--offset=" + offset;
    assertThat(xip("segment", "define", "A", "--from", named, from).failsWithOneLine())
        .isEqualTo(xip("ls", named, from).failsWithOneLine());
    assertThat(folder.resolve("store/A.def")).doesNotExist();
  }

  @Test
  void aPartOfAPipeIsRefused() throws Exception {
    String script = "echo text | \"$X\" segment define A --from - --offset 1";
    assertThat(Shell.bash(folder, script).failsWithOneLine()).contains("/dev/stdin: is a pipe");
  }

  @Test
  void aRangeWithoutItsFileIsWrongUsage() throws Exception {
    xip("segment", "define", "A", "--size", "10M").isDone();
    for (String option : List.of("--offset=1", "--size=4K")) {
      assertThat(xip("segment", "save", "A", option).exit()).isEqualTo(2);
    }
    assertThat(xip("segment", "define", "B", "--size", "4K", "--offset", "1").exit()).isEqualTo(2);
  }

  @Test
  void aFileWhoseNameLooksLikeAPartitionIsTakenWithAWarning() throws Exception {
    Path named = Files.writeString(folder.resolve("disk.img:1"), CONTENT);
    Xip.Result result = xip("segment", "define", "A", "--from", named.toString());
    Files.delete(named);
    assertThat(result.exit()).isZero();
    assertThat(result.err()).startsWith("xip: " + named + ": is taken for a file").hasLineCount(1);
    assertThat(data(1)).startsWith(CONTENT.getBytes(StandardCharsets.US_ASCII));
  }

  @Test
  void aPartitionOfABlockDeviceBecomesASegment() throws Exception {
    try (LoopDevice loop = LoopDevice.of(disk)) {
      xip("segment", "define", "A", "--from", loop.path() + ":2").isDone();
    }
    assertThat(data(1)).isEqualTo(ofDisk(FIRST + BYTES, BYTES));
  }
}
