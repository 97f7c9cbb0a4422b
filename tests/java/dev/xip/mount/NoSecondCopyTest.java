package dev.xip.mount;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.testing.Images;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A file of 1 GiB that is read whole through its mapping takes the pages of the image in the page
 * cache, and no others.
 */
class NoSecondCopyTest {
  private static final long BYTES = 1L << 30;
  private static final long PAGE = 4096;

  /** What other programs of the host may read and write meanwhile, each try anew. */
  private static final long OTHERS = BYTES / 4;

  private static final int TRIES = 5;

  @TempDir Path folder;

  /** A file of which mke2fs stores every block, since none is all zeros. */
  private Path image() throws IOException {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    ByteBuffer bytes = ByteBuffer.allocateDirect(1 << 20).order(ByteOrder.nativeOrder());
    try (FileChannel file =
        FileChannel.open(
            tree.resolve("large"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      for (long at = 0; at < BYTES; at += bytes.capacity()) {
        for (int page = 0; page < bytes.capacity(); page += (int) PAGE) {
          bytes.putLong(page, at + page + 1);
        }
        file.write(bytes.clear());
      }
    }
    Path image = Images.ext2(tree);
    Files.delete(tree.resolve("large"));
    return image;
  }

  private static long cached(Path file) throws IOException {
    return Long.parseLong(
        Processes.run(
                "fincore", "--bytes", "--noheadings", "--raw", "--output", "RES", file.toString())
            .text()
            .strip());
  }

  /** The page cache of the host, with what is in memory alone. */
  private static long pageCache() throws IOException {
    Matcher figure =
        Pattern.compile("(?m)^Cached: +([0-9]+) kB")
            .matcher(Files.readString(Path.of("/proc/meminfo")));
    assertThat(figure.find()).isTrue();
    return Long.parseLong(figure.group(1)) << 10;
  }

  /** The memory of this process that is no file's, or a file's that has no disk. */
  private static long ownMemory() throws IOException {
    Matcher figures =
        Pattern.compile("(?m)^Rss(?:Anon|Shmem):\\s+([0-9]+) kB")
            .matcher(Files.readString(Path.of("/proc/self/status")));
    return figures.results().mapToLong(r -> Long.parseLong(r.group(1)) << 10).sum();
  }

  private static void drop(Path file) throws IOException {
    Processes.run("sync", file.toString());
    Processes.run("dd", "if=" + file, "iflag=nocache", "count=0", "status=none");
  }

  @Test
  void readingAGibibyteThroughItsMappingCachesItOnce() throws IOException {
    Path packed = image();
    long least = Long.MAX_VALUE;
    for (int i = 0; i < TRIES && least > OTHERS; i++) {
      drop(packed);
      long own = cached(packed);
      assertThat(own).isLessThan(OTHERS);
      long memory = ownMemory();
      long before = pageCache();
      try (OpenImage image = OpenImage.open(packed);
          Arena arena = Arena.ofConfined()) {
        Inode file = PathResolver.resolve(image.image(), "large", true);
        assertThat(sumOf(image.map(file, 0, file.size(), arena))).isEqualTo(expectedSum());
        long added = pageCache() - before;
        long imagesOwn = cached(packed) - own;
        System.err.printf(
            "NoSecondCopyTest: page cache + %d, of which of the image %d; memory of the JVM + %d%n",
            added, imagesOwn, ownMemory() - memory);
        assertThat(imagesOwn).isGreaterThan(BYTES - OTHERS);
        assertThat(ownMemory() - memory).isLessThan(OTHERS);
        least = Math.min(least, added - imagesOwn);
      }
    }
    assertThat(least).isLessThan(OTHERS);
  }

  private static long sumOf(MemorySegment memory) {
    long sum = 0;
    for (long at = 0; at < memory.byteSize(); at += PAGE) {
      sum += memory.get(ValueLayout.JAVA_LONG, at);
    }
    return sum;
  }

  private static long expectedSum() {
    long pages = BYTES / PAGE;
    return pages * (pages - 1) / 2 * PAGE + pages;
  }
}
