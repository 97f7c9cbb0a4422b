package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.scenario.HostTree;
import dev.xip.testing.Disks;
import dev.xip.testing.Folders;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.LoopDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Commands on images in partitions, at offsets and on devices. */
class DiskIT {
  private static Path folder;
  private static Path image;
  private static Path disk;

  @BeforeAll
  static void makeDisk() throws IOException {
    folder = Files.createTempDirectory("xip-disk");
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.writeString(tree.resolve("file"), "bytes of a file\n".repeat(1000));
    image = Images.ext2(tree);
    disk = Disks.of(folder.resolve("disk.img"), image, image);
  }

  @AfterAll
  static void remove() throws IOException {
    Folders.delete(folder);
  }

  @Test
  void everyCommandReadsAPartition() throws IOException, InterruptedException {
    String two = disk + ":2";
    String expected = "bytes of a file\n".repeat(1000);
    assertThat(Xip.run("ls", two).isDone().out()).isEqualTo("file\nlost+found\n");
    assertThat(Xip.run("cat", two, "/file").isDone().out()).isEqualTo(expected);
    assertThat(Xip.run("stat", two, "/file").isDone().out()).contains("verdict  in place");
    assertThat(Xip.run("check", disk + ":label=part-2").isDone().out())
        .contains("in place: 1 files with 16K");
    Path copy = folder.resolve("copy");
    Xip.run("cp", two, "/file", copy).isDone();
    assertThat(copy).hasContent(expected);
    assertThat(Xip.run("maps", two).isDone().out()).contains("/file");
    assertThat(Xip.run("pagetable", two).isDone().out()).contains("SPECIAL");
  }

  @Test
  void anOffsetMayHaveASuffix() throws IOException, InterruptedException {
    assertThat(Xip.run("ls", "--offset", "1M", disk).isDone().out()).contains("file\n");
    assertThat(Xip.run("cat", "--offset=1024K", "--size=2M", disk, "/file").failsWithOneLine())
        .contains("disk.img+0x100000: at byte 0x", "expected");
    assertThat(Xip.run("ls", "--offset", "-1", disk).exit()).isEqualTo(2);
    String nowhere = "--store=" + folder.resolve("no-store");
    assertThat(Xip.run("ls", "--offset", "1", nowhere, "segment:A").exit()).isEqualTo(2);
    assertThat(Xip.run("maps", "--offset", "1", nowhere, "segment:A").exit()).isEqualTo(2);
  }

  @Test
  void aRefusalIsOneLine() throws IOException, InterruptedException {
    assertThat(Xip.run("ls", disk).failsWithOneLine())
        .contains("is a disk with partitions (GPT)", "1 (ext2 \"part-1\"", "2 (ext2");
    assertThat(Xip.run("ls", disk + ":7").failsWithOneLine()).contains("has no partition 7;");
    assertThat(Xip.run("maps", disk + ":x").failsWithOneLine())
        .contains("expected a partition behind the colon");
    Path zstd = Files.write(folder.resolve("z"), new byte[] {0x28, (byte) 0xb5, 0x2f, (byte) 0xfd});
    assertThat(Xip.run("check", zstd).failsWithOneLine()).contains("zstd -dc " + zstd);
  }

  @Test
  void aFileWhoseNameLooksLikeAPartitionIsReadWithAWarning()
      throws IOException, InterruptedException {
    Path named = Files.copy(image, folder.resolve("disk.img:1"));
    Xip.Result result = Xip.run("ls", named);
    Files.delete(named);
    assertThat(result.exit()).isZero();
    assertThat(result.err()).startsWith("xip: " + named + ": is taken for a file").hasLineCount(1);
  }

  @Test
  void mappingsOfAnImageInSegmentsAreShown() throws IOException, InterruptedException {
    Path store = folder.resolve("store");
    Xip.run("segment", "define", "DISK", "--from", image, "--store", store).isDone();
    assertThat(Xip.run("maps", "--store", store, "segment:DISK").isDone().out()).contains("/file");
  }

  @Test
  void theDemoRunsOnAPartition() throws IOException, InterruptedException {
    assertThat(Xip.run("demo", "--json", "--work", folder, "--image", disk + ":1").exit()).isZero();
  }

  @Test
  void aProgramRunsOutOfAPartition() throws IOException, InterruptedException {
    Judge.kvm();
    Path tree = Files.createDirectory(folder.resolve("programs"));
    new HostTree(tree).add(HostTree.find("true"));
    Path programs = Disks.of(folder.resolve("programs.disk"), Images.ext2(tree));
    String program = HostTree.find("true");
    assertThat(Xip.run("run", "--stats", programs + ":1", program).exit()).isZero();
    Path shifted = folder.resolve("shifted");
    Files.write(shifted, new byte[512]);
    Files.write(
        shifted, Files.readAllBytes(folder.resolve("programs.img")), StandardOpenOption.APPEND);
    assertThat(Xip.run("run", "--offset", "512", shifted, program).exit()).isZero();
  }

  @Test
  void aBlockDeviceIsRead() throws IOException, InterruptedException {
    try (LoopDevice loop = LoopDevice.of(disk)) {
      for (List<String> each :
          List.of(List.of("ls", loop.path() + ":2"), List.of("maps", loop.path() + ":2"))) {
        assertThat(Xip.run(each.toArray()).isDone().out()).contains("file");
      }
    }
  }
}
