package dev.xip.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.file.WholeFile;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FileContent;
import dev.xip.image.Inode;
import dev.xip.image.Overlay;
import dev.xip.image.PathResolver;
import dev.xip.image.TreeWalk;
import dev.xip.image.Verdict;
import dev.xip.image.ext.ExtFormat;
import dev.xip.testing.Images;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An image whose journal was replayed: what is in place in it, and what is not. */
class ReplayedImageTest {
  private static final int SIZE = 40_000;

  @TempDir static Path folder;
  private static Path image;
  private static final byte[] CONTENT = new byte[SIZE];

  @BeforeAll
  static void makeImage() throws IOException {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    new Random(1).nextBytes(CONTENT);
    Files.write(tree.resolve("changed"), CONTENT);
    Files.write(tree.resolve("same"), CONTENT);
    // In ext3 the block of pointers lies between the 12th block of a file and its next one.
    try (RandomAccessFile large = new RandomAccessFile(tree.resolve("two").toFile(), "rw")) {
      large.write(CONTENT);
      large.write(CONTENT);
    }
    image = folder.resolve("image");
    Images.ext("ext3", tree, image, "-b", "4096");
    byte[] ones = new byte[4096];
    Arrays.fill(ones, (byte) 1);
    Images.journal(image, "/changed", ones);
  }

  private static Inode inode(OpenImage open, String path) throws IOException {
    return PathResolver.resolve(open.image(), path, true);
  }

  private static void assertReplayed(OpenImage open) throws IOException {
    assertThat(open.overlay().bytes()).isEqualTo(4096);
    byte[] read = new byte[SIZE];
    FileContent.of(open.image(), inode(open, "/changed")).read(0, MemorySegment.ofArray(read));
    assertThat(Arrays.copyOf(read, 4096)).containsOnly(1);
    assertThat(Arrays.copyOfRange(read, 4096, SIZE))
        .isEqualTo(Arrays.copyOfRange(CONTENT, 4096, SIZE));
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1 << 20, 512, 4096 + 1024})
  void itMayLieAtAnyPlaceOfAFile(long offset) throws IOException {
    Path disk = folder.resolve("disk");
    byte[] bytes = new byte[(int) (offset + Files.size(image) + 4096)];
    System.arraycopy(Files.readAllBytes(image), 0, bytes, (int) offset, (int) Files.size(image));
    Files.write(disk, bytes);
    ImageSource source = ImageSource.of(disk).within(offset, Files.size(image));
    try (OpenImage open = OpenImage.open(source)) {
      assertReplayed(open);
      assertThat(open.image().memory().isReadOnly()).isTrue();
      assertThat(open.warnings()).isEmpty();
    }
    try (OpenImage open = OpenImage.open(source.with(Recovery.NONE))) {
      assertThat(open.overlay().isEmpty()).isTrue();
      assertThat(open.warnings())
          .containsExactly("the journal is not replayed: newer changes are missing");
    }
    assertThat(Files.readAllBytes(disk)).isEqualTo(bytes);
  }

  @Test
  void aFileThatTheJournalDoesNotChangeIsTheImagesOwnMemory() throws IOException {
    try (OpenImage open = OpenImage.open(image);
        WholeFile same = open.whole(inode(open, "/same"));
        WholeFile two = open.whole(inode(open, "/two"))) {
      assertThat(open.image().blockMap(inode(open, "/same")).verdict()).isEqualTo(Verdict.IN_PLACE);
      assertThat(same.memory().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(CONTENT);
      assertThat(fileAt(same.memory().address())).isEqualTo(image.toString());
      assertThat(open.image().blockMap(inode(open, "/two")).extentCount()).isGreaterThan(1);
      assertThat(two.memory().asSlice(SIZE).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(CONTENT);
      assertThat(fileAt(two.memory().address())).isEqualTo(image.toString());
    }
  }

  @Test
  void aFileThatItChangesIsNoPieceOfMemory() throws IOException {
    try (OpenImage open = OpenImage.open(image);
        WholeFile changed = open.whole(inode(open, "/changed"))) {
      assertThatThrownBy(changed::memory).hasMessageContaining("no piece of memory: journaled");
      byte[] read = new byte[100];
      assertThat(changed.read(4000, MemorySegment.ofArray(read))).isEqualTo(100);
      assertThat(Arrays.copyOf(read, 96)).containsOnly(1);
    }
  }

  @Test
  void onlyAFileThatItDoesNotChangeCanBeMapped() throws IOException {
    try (OpenImage open = OpenImage.open(image);
        Arena arena = Arena.ofConfined()) {
      byte[] mapped = new byte[SIZE];
      open.map(inode(open, "/same"), 0, SIZE).get(mapped);
      assertThat(mapped).isEqualTo(CONTENT);
      MemorySegment copy = open.mapCopyOnWrite(inode(open, "/two"), SIZE, SIZE, arena);
      assertThat(copy.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(CONTENT);
      Inode changed = inode(open, "/changed");
      assertThatThrownBy(() -> open.map(changed, 0, SIZE)).hasMessageContaining("journaled");
      assertThatThrownBy(() -> open.mapCopyOnWrite(changed, 8192, 4096, arena))
          .hasMessageContaining("journaled");
    }
  }

  @Test
  void theFileThatWasOpenedIsReplayedEvenIfAnotherHasItsName() throws IOException {
    Path moved = Files.copy(image, folder.resolve("moved"), StandardCopyOption.REPLACE_EXISTING);
    byte[] bytes = Files.readAllBytes(moved);
    Overlay overlay = new ExtFormat().overlay("moved", MemorySegment.ofArray(bytes));
    try (FileChannel channel = FileChannel.open(moved)) {
      ImagePiece.OpenFile open = new ImagePiece.OpenFile(channel, ImagePiece.keyOf(moved));
      ImagePiece piece = ImagePiece.of(0, bytes.length, 0, moved, open);
      Path other = Files.write(folder.resolve("other"), new byte[bytes.length]);
      Files.move(other, moved, StandardCopyOption.REPLACE_EXISTING);
      overlay.storeInto(MemorySegment.ofArray(bytes));
      try (ReplayedMemory replayed = ReplayedMemory.of(List.of(piece), overlay)) {
        assertThat(replayed.bytes().mismatch(MemorySegment.ofArray(bytes))).isEqualTo(-1);
      }
    }
  }

  @Test
  void anImageMayBeLargerThanMemory() throws IOException {
    Path tree = Files.createDirectory(folder.resolve("few"));
    Files.write(tree.resolve("changed"), CONTENT);
    Path large = folder.resolve("large");
    Processes.run(
        "mke2fs",
        "-q",
        "-F",
        "-t",
        "ext4",
        "-T",
        "largefile4",
        "-J",
        "size=4",
        "-E",
        "lazy_itable_init=1,nodiscard",
        "-d",
        tree.toString(),
        large.toString(),
        "400G");
    Images.journal(large, "/changed", new byte[4096]);
    try (OpenImage open = OpenImage.open(large)) {
      assertThat(open.overlay().bytes()).isEqualTo(4096);
      byte[] read = new byte[4096];
      FileContent.of(open.image(), inode(open, "/changed")).read(0, MemorySegment.ofArray(read));
      assertThat(read).containsOnly(0);
    } finally {
      Files.delete(large);
    }
  }

  @Test
  void nothingStaysMappedWhenItIsClosed() throws IOException {
    try (OpenImage open = OpenImage.open(image)) {
      assertReplayed(open);
      assertThat(maps()).anyMatch(line -> line.endsWith(image.toString()));
    }
    assertThat(maps()).noneMatch(line -> line.endsWith(image.toString()));
  }

  @Test
  void anImageThatIsCutWhileItIsReadGivesACheckedException() throws IOException {
    Path cut = Files.copy(image, folder.resolve("cut"), StandardCopyOption.REPLACE_EXISTING);
    try (OpenImage open = OpenImage.open(cut)) {
      Inode changed = inode(open, "/changed");
      try (RandomAccessFile file = new RandomAccessFile(cut.toFile(), "rw")) {
        file.setLength(4096);
      }
      assertThatThrownBy(
              () -> TreeWalk.walk(open.image(), open.image().root(), (walk, inode) -> {}))
          .isInstanceOf(CorruptImageException.class)
          .hasMessageContaining("truncated while in use");
      assertThatThrownBy(
              () ->
                  FileContent.of(open.image(), changed)
                      .read(0, MemorySegment.ofArray(new byte[8192])))
          .isInstanceOf(CorruptImageException.class);
    }
  }

  private static List<String> maps() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/maps"));
  }

  private static String fileAt(long address) throws IOException {
    for (String line : maps()) {
      String[] range = line.split("[- ]", 3);
      if (Long.parseUnsignedLong(range[0], 16) <= address
          && address < Long.parseUnsignedLong(range[1], 16)) {
        return line.replaceAll("^(\\S+ +){5}", "");
      }
    }
    return null;
  }
}
