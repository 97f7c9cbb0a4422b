package dev.xip.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.FileName;
import dev.xip.image.ext.ExtImage;
import dev.xip.testing.Images;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An image that is truncated while it is mapped gives checked exceptions, from interpreted code and
 * from compiled code, which reports such faults late.
 */
class TruncatedImageTest {
  /** Enough calls for the second compiler to have compiled what they call. */
  private static final int WARM_UP = 20_000;

  @TempDir Path folder;
  private Arena arena;
  private Path file;
  private ExtImage image;

  /** An operation that reads the image. */
  @FunctionalInterface
  private interface Reading {
    void run() throws IOException;
  }

  @BeforeEach
  void mapTheImage() throws IOException {
    arena = Arena.ofShared();
    Path tree = Trees.small(folder.resolve("tree"));
    Files.createSymbolicLink(tree.resolve("slow"), Path.of("s".repeat(1000)));
    file = pack(tree);
    image = Images.open(file, arena);
  }

  Path pack(Path tree) throws IOException {
    return Images.ext2(tree);
  }

  @AfterEach
  void unmap() {
    arena.close();
  }

  private Inode inode(String path) throws IOException {
    return PathResolver.resolve(image, path, false);
  }

  private void truncate(long size) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(size);
    }
  }

  private void assertReported(List<Reading> readings) throws IOException {
    for (int i = 0; i < WARM_UP; i++) {
      for (Reading reading : readings) {
        reading.run();
      }
    }
    truncate(4096);
    for (int round = 0; round < 3; round++) {
      for (Reading reading : readings) {
        assertThatExceptionOfType(CorruptImageException.class)
            .isThrownBy(reading::run)
            .satisfies(
                damage -> {
                  assertThat(damage.getFile()).isEqualTo(file.toString());
                  assertThat(damage.offset()).isEqualTo(4096);
                  assertThat(damage.expected())
                      .isEqualTo("0x%x bytes as when the image was opened", imageSize());
                  assertThat(damage.found())
                      .isEqualTo("0x1000 bytes: it was truncated while in use");
                });
      }
    }
  }

  private long imageSize() {
    return image.memory().byteSize();
  }

  @Test
  void everyMethodOfAnImageReportsATruncation() throws IOException {
    Inode root = image.root();
    Inode fast = inode("link");
    Inode slow = inode("slow");
    Inode holes = inode("holes");
    FileName name = FileName.of("hello.txt");
    assertReported(
        List.of(
            image::root,
            () -> image.inode(root.number()),
            () -> image.find(root, name),
            () -> image.list(root, (entry, number, type) -> true),
            () -> image.readLink(fast),
            () -> image.readLink(slow),
            () -> image.blockMap(holes),
            () -> FileContent.of(image, holes)));
  }

  @Test
  void readingAFileReportsATruncation() throws IOException {
    FileContent content = FileContent.of(image, inode("indirect"));
    MemorySegment destination = arena.allocate(200_000);
    assertReported(
        List.of(
            () -> content.read(0, destination),
            () -> content.read(5, destination.asSlice(0, 1)),
            () -> content.read(70_000, destination.asSlice(0, 8)),
            () -> content.read(70_001, destination.asSlice(0, 100))));
  }

  @Test
  void openingReportsATruncation() throws IOException {
    MemorySegment memory = image.memory();
    truncate(0);
    assertThatThrownBy(() -> ExtImage.open(file.toString(), memory))
        .isInstanceOf(CorruptImageException.class)
        .hasMessageContaining("0x0 bytes: it was truncated while in use");
  }

  @Test
  void aFaultInCompiledCodeIsTakenBeforeTheGuardIsLeft() throws IOException {
    long sum = 0;
    for (int i = 0; i < 10 * WARM_UP; i++) {
      sum += firstWord(image.memory(), i % 512 * 8);
    }
    assertThat(sum).isNotZero();
    truncate(0);
    for (int i = 0; i < 100; i++) {
      long at = i * 8;
      assertThatThrownBy(() -> firstWord(image.memory(), at))
          .isInstanceOf(CorruptImageException.class);
    }
  }

  /** Small enough to be compiled into one piece with its guard, so that the fault comes late. */
  private long firstWord(MemorySegment memory, long at) throws IOException {
    return MemoryFaults.guarded(
        "late.img", memory.byteSize(), () -> memory.get(ValueLayout.JAVA_LONG, at));
  }

  @Test
  void aDeletedFileIsReported() throws IOException {
    truncate(4096);
    Files.delete(file);
    assertThatExceptionOfType(CorruptImageException.class)
        .isThrownBy(image::root)
        .satisfies(
            damage ->
                assertThat(damage.found())
                    .isEqualTo("no file of that name any more, and its memory gone"));
  }

  @Test
  void aFileThatGrowsAgainIsNotBelievedAgain() throws IOException {
    long size = imageSize();
    truncate(4096);
    assertThatThrownBy(image::root).isInstanceOf(CorruptImageException.class);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.allocate(1), size - 1);
    }
    assertThatExceptionOfType(CorruptImageException.class)
        .isThrownBy(image::root)
        .satisfies(
            damage ->
                assertThat(damage.found())
                    .isEqualTo(
                        "0x%x bytes, of which some could not be read (an I/O error, or cut and grown again)"
                            .formatted(size)));
  }

  @Test
  void anErrorOfAnotherKindIsNotTakenForATruncation() {
    InternalError error = new InternalError("something else");
    assertThatThrownBy(
            () ->
                MemoryFaults.guarded(
                    "x.img",
                    10,
                    () -> {
                      throw error;
                    }))
        .isSameAs(error);
  }
}
