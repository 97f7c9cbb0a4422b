package dev.xip.nio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import dev.xip.image.CorruptImageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.AsynchronousFileChannel;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.CompletionHandler;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reads in other threads give the bytes, results and exceptions of the default provider. */
class ImageAsynchronousChannelTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());

  @TempDir Path folder;
  private ChannelImage image;

  @BeforeEach
  void open() throws IOException {
    image = ChannelImage.open(folder);
  }

  @AfterEach
  void close() throws IOException {
    image.close();
  }

  /** What a handler was called with. */
  private record Outcome(Object result, Throwable failure, String thread) {}

  /** Completes a future with what it is called with. */
  private static final class Handler<T>
      implements CompletionHandler<T, CompletableFuture<Outcome>> {
    @Override
    public void completed(T result, CompletableFuture<Outcome> to) {
      to.complete(new Outcome(result, null, Thread.currentThread().getName()));
    }

    @Override
    public void failed(Throwable failure, CompletableFuture<Outcome> to) {
      to.complete(new Outcome(null, failure, Thread.currentThread().getName()));
    }
  }

  private static Outcome read(AsynchronousFileChannel channel, ByteBuffer to, long position) {
    CompletableFuture<Outcome> outcome = new CompletableFuture<>();
    channel.read(to, position, outcome, new Handler<>());
    return outcome.join();
  }

  @Test
  void readsAnswerAsThoseOfTheDefaultProvider() throws Exception {
    Random random = new Random(SEED);
    for (String file : ChannelImage.FILES) {
      try (AsynchronousFileChannel own = image.asynchronous(file, null);
          AsynchronousFileChannel judge = AsynchronousFileChannel.open(image.tree.resolve(file))) {
        assertThat(own.size()).isEqualTo(judge.size());
        for (int i = 0; i < 100; i++) {
          long position = random.nextLong(judge.size() + 5000);
          int bytes = random.nextInt(4) == 0 ? 0 : random.nextInt(30_000);
          ByteBuffer mine = ByteBuffer.allocate(bytes);
          ByteBuffer others = ByteBuffer.allocateDirect(bytes);
          String name = "-Dxip.seed=%d: %d of %s at %d".formatted(SEED, bytes, file, position);
          if (i % 2 == 0) {
            assertThat(own.read(mine, position).get())
                .as(name)
                .isEqualTo(judge.read(others, position).get());
          } else {
            assertThat(read(own, mine, position).result)
                .as(name)
                .isEqualTo(read(judge, others, position).result);
          }
          assertThat(mine.flip()).as(name).isEqualTo(others.flip());
        }
      }
    }
  }

  @Test
  void readsAndHandlersRunInTheCallersExecutor() throws IOException {
    try (ExecutorService executor =
            Executors.newSingleThreadExecutor(Thread.ofPlatform().name("of-the-caller").factory());
        AsynchronousFileChannel channel = image.asynchronous("plain", executor)) {
      assertThat(read(channel, ByteBuffer.allocate(10), 0).thread).isEqualTo("of-the-caller");
      assertThat(read(channel, ByteBuffer.allocate(10), 1L << 40).result).isEqualTo(-1);
    }
    try (AsynchronousFileChannel channel = image.asynchronous("plain", null)) {
      assertThat(read(channel, ByteBuffer.allocate(10), 0).thread).startsWith("xip-reader-");
    }
  }

  @Test
  void manyReadsAtOnceGiveTheWholeFile() throws Exception {
    byte[] expected = image.original("scattered");
    try (AsynchronousFileChannel channel = image.asynchronous("scattered", null)) {
      ByteBuffer whole = ByteBuffer.allocate(expected.length);
      List<Future<Integer>> reads = new ArrayList<>();
      for (int at = 0; at < expected.length; at += 5000) {
        reads.add(channel.read(whole.slice(at, Math.min(5000, expected.length - at)), at));
      }
      for (Future<Integer> each : reads) {
        assertThat(each.get()).isPositive();
      }
      assertThat(Arrays.equals(whole.array(), expected)).isTrue();
    }
  }

  @Test
  void aClosedChannelFailsByTheResult() throws IOException {
    AsynchronousFileChannel channel = image.asynchronous("plain", null);
    channel.close();
    channel.close();
    assertThat(channel.isOpen()).isFalse();
    assertThat(read(channel, ByteBuffer.allocate(1), 0).failure)
        .isInstanceOf(ClosedChannelException.class);
    assertThatExceptionOfType(ExecutionException.class)
        .isThrownBy(() -> channel.read(ByteBuffer.allocate(1), 0).get())
        .withCauseInstanceOf(ClosedChannelException.class);
    assertThatExceptionOfType(ExecutionException.class)
        .isThrownBy(() -> channel.lock(0, 1, true).get())
        .withCauseInstanceOf(ClosedChannelException.class);
    assertThatExceptionOfType(ClosedChannelException.class).isThrownBy(channel::size);
    assertThatExceptionOfType(ClosedChannelException.class)
        .isThrownBy(() -> channel.tryLock(0, 1, true));
  }

  @Test
  void aReadIntoABufferThatWasCutIsToldOf() throws Exception {
    Path file = Files.write(folder.resolve("cut"), new byte[8192]);
    try (AsynchronousFileChannel channel = image.asynchronous("plain", null);
        FileChannel target =
            FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer buffer = target.map(FileChannel.MapMode.READ_WRITE, 0, 8192);
      target.truncate(0);
      CompletableFuture<Outcome> outcome = new CompletableFuture<>();
      channel.read(buffer, 0, outcome, new Handler<>());
      assertThat(outcome.get(10, TimeUnit.SECONDS).failure).isInstanceOf(InternalError.class);
    }
  }

  @Test
  void aReadThatWaitsForAThreadWhenTheChannelIsClosedFailsByTheResult() throws Exception {
    CountDownLatch closed = new CountDownLatch(1);
    try (ExecutorService executor = Executors.newSingleThreadExecutor()) {
      executor.submit(() -> closed.await(10, TimeUnit.SECONDS));
      AsynchronousFileChannel channel = image.asynchronous("plain", executor);
      Future<Integer> read = channel.read(ByteBuffer.allocate(1), 0);
      channel.close();
      closed.countDown();
      assertThatExceptionOfType(ExecutionException.class)
          .isThrownBy(read::get)
          .withCauseInstanceOf(AsynchronousCloseException.class);
    }
  }

  /** Makes threads that are not daemons, as no factory of this project does. */
  public static final class Named implements ThreadFactory {
    @Override
    public Thread newThread(Runnable work) {
      return new Thread(work);
    }
  }

  @Test
  void threadsAreThoseOfTheFactoryThatThePropertyNames() {
    String property = "java.nio.channels.DefaultThreadPool.threadFactory";
    System.setProperty(property, Named.class.getName());
    try {
      assertThat(ImageChannels.threads()).isInstanceOf(Named.class);
      System.setProperty(property, "no.such.Factory");
      assertThatIllegalStateException()
          .isThrownBy(ImageChannels::threads)
          .withMessage("no factory of threads: no.such.Factory");
    } finally {
      System.clearProperty(property);
    }
  }

  @Test
  void closingTheFileSystemClosesTheChannel() throws IOException {
    AsynchronousFileChannel channel = image.asynchronous("plain", null);
    image.close();
    assertThat(channel.isOpen()).isFalse();
  }

  @Test
  void wrongArgumentsAreRefusedAtOnce() throws IOException {
    try (AsynchronousFileChannel channel = image.asynchronous("plain", null)) {
      ByteBuffer room = ByteBuffer.allocate(1);
      assertThatIllegalArgumentException().isThrownBy(() -> channel.read(room, -1));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> channel.read(room.asReadOnlyBuffer(), 0));
      assertThatNullPointerException().isThrownBy(() -> channel.read(room, 0, null, null));
      assertThatIllegalArgumentException().isThrownBy(() -> channel.write(room, -1));
      assertThatIllegalArgumentException().isThrownBy(() -> channel.truncate(-1));
      for (ThrowingCallable each :
          List.<ThrowingCallable>of(
              () -> channel.write(room, 0),
              () -> channel.truncate(0),
              () -> channel.lock(0, 1, false),
              () -> channel.tryLock(0, 1, false))) {
        assertThatExceptionOfType(NonWritableChannelException.class).isThrownBy(each);
      }
    }
  }

  @Test
  void locksAreSharedWithThoseOfFileChannels() throws Exception {
    try (AsynchronousFileChannel channel = image.asynchronous("plain", null);
        FileChannel other = image.channel("plain")) {
      FileLock lock = channel.lock(0, 10, true).get();
      assertThat(lock.isValid() && lock.isShared()).isTrue();
      assertThatExceptionOfType(OverlappingFileLockException.class)
          .isThrownBy(() -> other.tryLock(5, 1, true));
      assertThatExceptionOfType(OverlappingFileLockException.class)
          .isThrownBy(() -> channel.lock(5, 1, true));
      lock.release();
      CompletableFuture<Outcome> outcome = new CompletableFuture<>();
      channel.lock(5, 1, true, outcome, new Handler<>());
      assertThat(((FileLock) outcome.join().result).isValid()).isTrue();
    }
  }

  @Test
  void aCutImageFailsByTheResult() throws IOException {
    try (AsynchronousFileChannel channel = image.asynchronous("plain", null)) {
      try (FileChannel file = FileChannel.open(image.packed, StandardOpenOption.WRITE)) {
        file.truncate(ChannelImage.PAGE);
      }
      assertThat(read(channel, ByteBuffer.allocate(100), 5000).failure)
          .isInstanceOf(CorruptImageException.class);
    }
  }
}
