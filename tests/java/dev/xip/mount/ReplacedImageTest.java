package dev.xip.mount;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.image.FileContent;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.testing.Images;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Another image gets the name of one while that is opened. */
class ReplacedImageTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final int ROUNDS = 127;
  private static final int PAGE = 4096;
  private static final long MOST_NANOS = 1_000_000;

  @TempDir Path folder;

  /** The bytes of an image with one file, and where the page of that lies. */
  private record Template(byte[] image, int page) {
    byte[] with(int content) {
      byte[] copy = image.clone();
      Arrays.fill(copy, page, page + PAGE, (byte) content);
      return copy;
    }
  }

  private Template template() throws IOException {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.write(tree.resolve("file"), new byte[PAGE]);
    Path image = Images.erofs(tree, folder.resolve("image"), "-Enoinline_data");
    try (OpenImage open = OpenImage.open(image)) {
      Inode file = PathResolver.resolve(open.image(), "file", true);
      long page = open.image().blockMap(file).imageOffset(0);
      return new Template(Files.readAllBytes(image), (int) page);
    }
  }

  @Test
  void theBytesOfOneImageAreNotMixedWithThoseOfAnother() throws IOException {
    Random random = new Random(SEED);
    Template template = template();
    Path name = Files.write(folder.resolve("name"), template.with(0));
    for (int i = 1; i <= ROUNDS; i++) {
      Path next = Files.write(folder.resolve("next"), template.with(i));
      // The one before keeps its inode, so that no other gets the number of that.
      Files.createLink(folder.resolve("kept" + i), name);
      long nanos = random.nextLong(MOST_NANOS);
      CompletableFuture<Path> moved =
          CompletableFuture.supplyAsync(() -> moveAfter(nanos, next, name));
      try (OpenImage open = OpenImage.open(name);
          Arena arena = Arena.ofConfined()) {
        Inode file = PathResolver.resolve(open.image(), "file", true);
        byte[] read = new byte[PAGE];
        FileContent.of(open.image(), file).read(0, MemorySegment.ofArray(read));
        assertThat(open.mapCopyOnWrite(file, 0, PAGE, arena).toArray(ValueLayout.JAVA_BYTE))
            .as("-Dxip.seed=%d", SEED)
            .isEqualTo(read);
      } finally {
        moved.join();
      }
    }
  }

  private static Path moveAfter(long nanos, Path next, Path name) {
    LockSupport.parkNanos(nanos);
    try {
      return Files.move(next, name, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
