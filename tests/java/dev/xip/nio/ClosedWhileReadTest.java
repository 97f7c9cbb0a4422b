package dev.xip.nio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.image.CorruptImageException;
import dev.xip.testing.Images;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.ClosedFileSystemException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Readers of a file system that ends meanwhile, because it is closed or its image is cut. */
class ClosedWhileReadTest {
  private static final int ROUNDS = 200;
  private static final int THREADS = 4;

  @TempDir Path folder;

  /** Reads until the file system is closed. */
  private static Throwable read(FileSystem image, CountDownLatch reading) {
    try {
      while (true) {
        for (String each : new String[] {"hello.txt", "sub/deeper/below", "link", "indirect"}) {
          Path path = image.getPath(each);
          Files.readAttributes(path, PosixFileAttributes.class);
          assertThat(Files.readAllBytes(path)).hasSize((int) Files.size(path));
          path.toRealPath();
        }
        try (var files = Files.walk(image.getPath("/"))) {
          assertThat(files.count()).isEqualTo(16);
        }
        reading.countDown();
      }
    } catch (IOException | RuntimeException | AssertionError e) {
      return e;
    } finally {
      reading.countDown();
    }
  }

  @Test
  void readersOfAFileSystemThatIsClosedAreToldSo() throws Exception {
    Path packed = Images.ext2(Trees.small(folder.resolve("tree")));
    try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
      for (int round = 0; round < ROUNDS; round++) {
        FileSystem image = FileSystems.newFileSystem(packed);
        CountDownLatch reading = new CountDownLatch(THREADS);
        List<Future<Throwable>> readers = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
          readers.add(threads.submit(() -> read(image, reading)));
        }
        reading.await();
        image.close();
        requireToldSo(readers);
      }
    }
  }

  private static void requireToldSo(List<Future<Throwable>> readers)
      throws ExecutionException, InterruptedException {
    for (Future<Throwable> each : readers) {
      assertThat(each.get())
          .isInstanceOfAny(ClosedFileSystemException.class, ClosedChannelException.class);
    }
  }

  @Test
  void everyCallOnACutImageIsToldWhatIsMissing() throws IOException {
    Path packed = Images.ext2(Trees.small(folder.resolve("tree")));
    try (FileSystem image = FileSystems.newFileSystem(packed)) {
      Path file = image.getPath("/indirect");
      Map<String, ThrowingCallable> calls = new LinkedHashMap<>();
      calls.put("bytes", () -> Files.readAllBytes(file));
      calls.put("size", () -> Files.size(file));
      calls.put("list", () -> Files.newDirectoryStream(image.getPath("/sub")));
      calls.put("unix", () -> Files.readAttributes(file, "unix:*"));
      calls.put("user", () -> Files.readAttributes(file, "user:*"));
      calls.put("acl", () -> Files.getAttribute(file, "acl:acl"));
      calls.put("link", () -> Files.readSymbolicLink(image.getPath("/link")));
      calls.put("real", () -> image.getPath("/link").toRealPath());
      calls.put("store", () -> Files.getFileStore(file));
      calls.put("same", () -> Files.isSameFile(file, image.getPath("/holes")));
      calls.put("access", () -> image.provider().checkAccess(file));
      for (ThrowingCallable each : calls.values()) {
        assertThat(catchThrowable(each)).isNull();
      }
      try (FileChannel channel = FileChannel.open(packed, StandardOpenOption.WRITE)) {
        channel.truncate(4096);
      }
      calls.forEach(
          (name, call) ->
              assertThatThrownBy(call)
                  .as(name)
                  .isInstanceOf(CorruptImageException.class)
                  .hasMessageContaining("truncated while in use"));
    }
  }

  private static Throwable catchThrowable(ThrowingCallable call) {
    return org.assertj.core.api.Assertions.catchThrowable(call);
  }
}
