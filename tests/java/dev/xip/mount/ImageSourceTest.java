package dev.xip.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.extract.ExtentTransfer;
import dev.xip.file.WholeFile;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FileContent;
import dev.xip.image.Inode;
import dev.xip.image.MemoryFaults;
import dev.xip.image.PathResolver;
import dev.xip.image.Verdict;
import dev.xip.testing.Disks;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Jvm;
import dev.xip.testing.LoopDevice;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Images at offsets of files, in partitions and on block devices. */
class ImageSourceTest {
  private static final long MIB = 1 << 20;

  @TempDir Path folder;
  private Path image;
  private Path disk;
  private final byte[] content = new byte[300_000];

  @BeforeEach
  void makeDisk() throws IOException {
    new Random(1).nextBytes(content);
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.write(tree.resolve("file"), content);
    image = Images.ext2(tree);
    disk = Disks.of(folder.resolve("disk.img"), image, image);
  }

  private void assertReads(ImageSource source, Verdict verdict) throws IOException {
    try (OpenImage mount = OpenImage.open(source)) {
      Inode inode = PathResolver.resolve(mount.image(), "/file", true);
      assertThat(mount.image().blockMap(inode).verdict()).isEqualTo(verdict);
      byte[] read = new byte[content.length];
      FileContent.of(mount.image(), inode).read(0, MemorySegment.ofArray(read));
      assertThat(read).isEqualTo(content);
      Path copy = folder.resolve("copy");
      for (boolean device : new boolean[] {false, true}) {
        try (FileChannel out =
            FileChannel.open(copy, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
          ExtentTransfer transfer =
              device ? ExtentTransfer.toDevice(mount) : ExtentTransfer.from(mount);
          transfer.stream(inode, out);
        }
        assertThat(Files.readAllBytes(copy)).isEqualTo(content);
        Files.delete(copy);
      }
      if (verdict == Verdict.IN_PLACE) {
        try (WholeFile whole = mount.whole(inode)) {
          assertThat(whole.memory().mismatch(MemorySegment.ofArray(content))).isEqualTo(-1);
        }
      }
    }
  }

  @Test
  void aDiskThatWasOneFileSystemIsNotReadAsThatWithoutAWord() throws IOException {
    Path old = folder.resolve("old.img");
    byte[] head = Files.readAllBytes(image);
    byte[] bytes = Arrays.copyOf(head, (int) MIB + head.length);
    System.arraycopy(head, 0, bytes, (int) MIB, head.length);
    ByteBuffer disk = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    disk.put(446 + 4, (byte) 0x83).putInt(446 + 8, 2048).putInt(446 + 12, head.length / 512);
    disk.putShort(510, (short) 0xaa55);
    Files.write(old, bytes);

    assertThatThrownBy(() -> OpenImage.open(old))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContaining("magic number of ext2 (at byte 0x438) and a partition table (MBR)")
        .hasMessageContaining("--format ext2")
        .hasMessageContaining(old + ":1 (option partition) takes a partition");
    assertReads(ImageSource.parse(old + ":1"), Verdict.IN_PLACE);
    assertReads(ImageSource.of(old).as("ext2"), Verdict.IN_PLACE);

    // A boot sector whose one partition is the file system that it begins, or nothing at all.
    disk.putInt(446 + 8, 0);
    Files.write(old, bytes);
    assertReads(ImageSource.of(old), Verdict.IN_PLACE);
    disk.putInt(446 + 8, 2049);
    Files.write(old, bytes);
    assertReads(ImageSource.of(old), Verdict.IN_PLACE);
  }

  @Test
  void adviceForADiskInADiskIsWhatACallerCanWrite() throws IOException {
    Path outer = folder.resolve("outer.img");
    byte[] inner = Files.readAllBytes(disk);
    ByteBuffer bytes = ByteBuffer.allocate((int) MIB + inner.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.put(446 + 4, (byte) 0x83).putInt(446 + 8, 2048).putInt(446 + 12, inner.length / 512);
    bytes.putShort(510, (short) 0xaa55).put((int) MIB, inner);
    Files.write(outer, bytes.array());

    assertThatThrownBy(() -> OpenImage.open(ImageSource.parse(outer + ":1")))
        .hasMessageContaining(
            "as in --offset 0x100000 " + outer + ":1 (option partition); there are 1 (ext2");
    assertReads(ImageSource.parse(outer + ":1").within(MIB, -1), Verdict.IN_PLACE);
  }

  @Test
  void aFileThatCannotBeMappedIsNamed() {
    Path number = Path.of("/sys/kernel/uevent_seqnum");
    Judge.needs(Files.isReadable(number), "the file " + number);
    assertThatThrownBy(() -> OpenImage.open(number))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContaining(number + ": 0x1000 bytes cannot be mapped");
  }

  @Test
  void anImageInAPartitionIsReadInPlace() throws IOException {
    assertReads(ImageSource.parse(disk + ":1"), Verdict.IN_PLACE);
    assertReads(ImageSource.parse(disk + ":2"), Verdict.IN_PLACE);
    assertReads(ImageSource.parse(disk + ":label=part-2"), Verdict.IN_PLACE);
  }

  @Test
  void anImageAtAnOffsetIsReadInPlaceIfThatIsThatOfAPage() throws IOException {
    assertReads(ImageSource.of(disk).within(MIB, Files.size(image)), Verdict.IN_PLACE);
    assertReads(ImageSource.of(disk).within(MIB, -1), Verdict.IN_PLACE);
  }

  @Test
  void anImageInsideAPageIsReadByCopy() throws IOException {
    Path shifted = folder.resolve("shifted");
    Files.write(shifted, new byte[1536]);
    Files.write(shifted, Files.readAllBytes(image), StandardOpenOption.APPEND);
    assertReads(ImageSource.of(shifted).within(1536, -1), Verdict.UNALIGNED);

    for (String each : new String[] {"-Enoinline_data", "--chunksize=4096"}) {
      byte[] erofs =
          Files.readAllBytes(Images.erofs(folder.resolve("tree"), folder.resolve("e.img"), each));
      Files.write(shifted, new byte[1536]);
      Files.write(shifted, erofs, StandardOpenOption.APPEND);
      assertReads(ImageSource.of(shifted).within(1536, -1), Verdict.UNALIGNED);
    }
  }

  @Test
  void aDiskInsideAFileHasPartitionsToo() throws IOException {
    Path shifted = folder.resolve("shifted");
    Files.write(shifted, new byte[8192]);
    Files.write(shifted, Files.readAllBytes(disk), StandardOpenOption.APPEND);
    ImageSource second = ImageSource.parse(shifted + ":2").within(8192, -1);
    assertReads(second, Verdict.IN_PLACE);

    ImagePlace place = second.find();
    try (FileChannel file = FileChannel.open(shifted, StandardOpenOption.WRITE)) {
      file.truncate(place.offset() + 4096);
    }
    assertThatThrownBy(() -> OpenImage.open(second))
        .hasMessageContaining("partition 2 ends at byte")
        .hasMessageEndingWith("; --offset 0x%x reads what is there", place.offset());
  }

  @Test
  void aFileWithAColonInItsNameIsMeantByItsName() throws IOException {
    Path named = Files.copy(image, folder.resolve("disk.img:2"));
    ImageSource source = ImageSource.parse(named.toString());
    assertThat(source.file()).isEqualTo(named);
    try (OpenImage mount = OpenImage.open(source)) {
      assertThat(mount.warnings()).singleElement().asString().contains("not for a partition of");
    }
    Path other = Files.copy(image, folder.resolve("a:b"));
    assertReads(ImageSource.parse(other.toString()), Verdict.IN_PLACE);
  }

  @Test
  void aLabelMayHoldColons() throws IOException {
    assertThat(ImageSource.parse(disk + ":label=a:b").name()).isEqualTo(disk + ":label=a:b");
  }

  @Test
  void wrongPlacesAreRefusedInWords() throws IOException {
    assertThatThrownBy(() -> ImageSource.parse(disk + ":root"))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContainingAll("expected a partition behind the colon", "found root");
    assertThatThrownBy(() -> OpenImage.open(ImageSource.parse(folder.resolve("none") + ":2")))
        .isInstanceOf(NoSuchFileException.class);
    assertThatThrownBy(() -> OpenImage.open(ImageSource.of(disk).within(1L << 40, -1)))
        .hasMessageContaining("expected an image at byte 0x10000000000");
    assertThatThrownBy(() -> OpenImage.open(ImageSource.of(disk).within(0, 1L << 40)))
        .hasMessageContaining("expected 0x10000000000 bytes at byte 0x0");
    assertThatThrownBy(() -> OpenImage.open(ImageSource.parse(image + ":1")))
        .hasMessageContaining("has no partition table, so no partition 1");
    assertThatThrownBy(() -> OpenImage.open(ImageSource.parse(disk + ":9")))
        .hasMessageContainingAll("has no partition 9;", "1 (ext2 \"part-1\"");
  }

  @Test
  void aWholeDiskIsRefusedWithItsPartitions() throws IOException {
    assertThatThrownBy(() -> OpenImage.open(disk))
        .hasMessageContainingAll(
            "is a disk with partitions (GPT)",
            ":1 (option partition);",
            "1 (ext2 \"part-1\", ",
            "2 (ext2 ");
  }

  @Test
  void twoFileSystemsInOneImageAreRefusedUnlessAFormatIsGiven() throws IOException {
    Disks.put(image, 0, new byte[] {'X', 'F', 'S', 'B'});
    assertThatThrownBy(() -> OpenImage.open(image))
        .hasMessageContainingAll(
            "ext2 (at byte 0x438) and XFS (at byte 0x0)", "--format ext2", "wipefs");
    assertReads(ImageSource.of(image).as("ext2"), Verdict.IN_PLACE);
  }

  @Test
  void anImageThatWasNotUnmountedOrHasErrorsIsReadWithAWord() throws IOException {
    String[] words = {"was not unmounted", null, "was not unmounted, errors were found", "errors"};
    for (int state = 0; state < words.length; state++) {
      Disks.put(image, 1024 + 0x3a, new byte[] {(byte) state});
      try (OpenImage mount = OpenImage.open(image)) {
        List<String> warnings = mount.warnings();
        assertThat(warnings).hasSize(Integer.bitCount(state ^ 1));
        for (int i = 0; i < warnings.size(); i++) {
          assertThat(warnings.get(i)).startsWith(words[state].split(", ")[i]).contains("e2fsck");
        }
      }
    }
  }

  @Test
  void aFileThatOnlyACapabilityReachesIsOpened() throws IOException {
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
    List<String> command = new ArrayList<>(Judge.asNobody());
    command.addAll(List.of("--inh-caps=+dac_override", "--ambient-caps=+dac_override"));
    command.addAll(Jvm.command(AheadTest.MapsFile.class, image.toString(), "file"));
    assertThat(Processes.runAny(command.toArray(String[]::new)).err()).isEmpty();
  }

  @Test
  void aPipeIsRefusedWithAdvice() throws IOException {
    Path pipe = folder.resolve("pipe");
    Processes.run("mkfifo", pipe.toString());
    assertThatThrownBy(() -> OpenImage.open(pipe))
        .hasMessage(
            pipe + ": is a pipe, which cannot be mapped: its bytes are to be saved in a file");
  }

  @Test
  void otherContentsAreNamedWithAdvice() throws IOException {
    Path gzip = Files.write(folder.resolve("a.gz"), new byte[] {0x1f, (byte) 0x8b, 8, 0});
    assertThatThrownBy(() -> OpenImage.open(gzip))
        .isInstanceOf(CorruptImageException.class)
        .hasMessageContainingAll("gzip-compressed data", "gzip -dc " + gzip);
    Path qcow = Files.write(folder.resolve("a"), new byte[] {'Q', 'F', 'I', (byte) 0xfb});
    assertThatThrownBy(() -> OpenImage.open(qcow))
        .hasMessageContainingAll("qcow2", "qemu-img convert -O raw");
  }

  @Test
  void whatOtherProgramsMadeOfAnImageIsNamedWithTheProgramThatUndoesIt() throws IOException {
    for (String each :
        new String[] {"gzip -dc", "zstd -dc", "xz -dc", "bzip2 -dc", "lz4 -dc", "tar -xf"}) {
      String program = each.substring(0, each.indexOf(' '));
      if (Processes.find(program).isPresent()) {
        Path packed = folder.resolve("packed-" + program);
        String how = program.equals("tar") ? "-cf - -C / \"${1#/}\"" : "-c < \"$1\"";
        String command = "%s %s > \"$2\"".formatted(program, how);
        Processes.run("sh", "-c", command, "sh", image.toString(), packed.toString());
        assertThatThrownBy(() -> OpenImage.open(packed))
            .isInstanceOf(CorruptImageException.class)
            .hasMessageContaining(each + " " + packed);
      }
    }
  }

  @Test
  void aDiskThatIsCutInUseGivesTheOffsetInTheImage() throws IOException {
    ImageSource source = ImageSource.parse(disk + ":1");
    try (OpenImage mount = OpenImage.open(source)) {
      long bytes = mount.image().memory().byteSize();
      try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "rw")) {
        file.setLength(MIB + 8192);
      }
      assertThatThrownBy(
              () -> MemoryFaults.guarded(source.name(), bytes, () -> mount.image().root()))
          .isInstanceOf(CorruptImageException.class)
          .hasMessageContainingAll(
              disk + ":1: at byte 0x2000", "truncated while in use of " + disk);
    }
  }

  @Test
  void aBlockDeviceIsAnImage() throws IOException {
    try (LoopDevice loop = LoopDevice.of(image)) {
      assertReads(ImageSource.of(loop.path()), Verdict.IN_PLACE);
    }
    try (LoopDevice loop = LoopDevice.of(disk)) {
      assertReads(ImageSource.parse(loop.path() + ":2"), Verdict.IN_PLACE);
    }
  }

  @Test
  void aDeviceThatShrinksInUseIsACheckedException() throws IOException {
    try (LoopDevice loop = LoopDevice.of(image);
        OpenImage mount = OpenImage.open(loop.path())) {
      Inode inode = PathResolver.resolve(mount.image(), "/file", true);
      try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
        file.setLength(65536);
      }
      loop.resize();
      byte[] read = new byte[content.length];
      assertThatThrownBy(
              () -> FileContent.of(mount.image(), inode).read(0, MemorySegment.ofArray(read)))
          .isInstanceOf(CorruptImageException.class)
          .hasMessageContainingAll(loop.path().toString(), "0x10000 bytes");
    }
  }
}
