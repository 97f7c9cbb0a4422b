package dev.xip.nio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.xip.image.CorruptImageException;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.mount.OpenImage;
import dev.xip.testing.Images;
import dev.xip.testing.ProcMaps;
import dev.xip.testing.Trees;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.channels.Pipe;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.ClosedFileSystemException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a channel does when it, its file system or the image under it ends; copy on write. */
class ImageFileChannelTest {
  private static final int PAGE = ChannelImage.PAGE;
  private static final int ROUNDS = 300;

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

  private static ByteBuffer room() {
    return ByteBuffer.allocate(PAGE);
  }

  private void cut() throws IOException {
    try (FileChannel file = FileChannel.open(image.packed, StandardOpenOption.WRITE)) {
      file.truncate(PAGE);
    }
  }

  @Test
  void closingTheFileSystemClosesItsChannelsAndUnmapsTheImage() throws IOException {
    FileChannel channel = image.channel("plain");
    FileLock lock = channel.lock(0, 10, true);
    Inode inode = image.inode("plain");
    image.close();
    image.close();
    assertThat(channel.isOpen()).isFalse();
    assertThat(lock.isValid()).isFalse();
    assertThatExceptionOfType(ClosedChannelException.class).isThrownBy(() -> channel.read(room()));
    assertThatExceptionOfType(ClosedFileSystemException.class)
        .isThrownBy(() -> image.channels.open("plain", inode));
    assertThat(ProcMaps.containing(image.packed.toString())).isEmpty();
  }

  @Test
  void readersThatTheEndOfTheFileSystemMeetsGetTheirBytesOrAreToldThatItIsClosed()
      throws Exception {
    byte[] expected = image.original("scattered");
    try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
      for (int i = 0; i < ROUNDS; i++) {
        ChannelImage own = image.again();
        FileChannel channel = own.channel("scattered");
        CountDownLatch started = new CountDownLatch(1);
        Future<Long> reader = threads.submit(() -> readAgainAndAgain(channel, expected, started));
        started.await();
        own.close();
        assertThat(reader.get()).isPositive();
      }
    }
    assertThat(ProcMaps.containing(image.packed.toString())).hasSize(1);
  }

  private static long readAgainAndAgain(
      FileChannel channel, byte[] expected, CountDownLatch started) throws IOException {
    ByteBuffer to = ByteBuffer.allocateDirect(expected.length);
    for (long count = 1; ; count++) {
      try {
        assertThat(channel.read(to.clear(), 0)).isEqualTo(expected.length);
      } catch (ClosedChannelException e) {
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
        return count;
      }
      assertThat(to.flip()).isEqualTo(ByteBuffer.wrap(expected));
      started.countDown();
    }
  }

  @Test
  void aTransferThatItsTargetBlocksKeepsTheImageUntilItEnds() throws Exception {
    Pipe pipe = Pipe.open();
    FileChannel channel = image.channel("plain");
    try (ExecutorService threads = Executors.newSingleThreadExecutor();
        Pipe.SourceChannel source = pipe.source();
        Pipe.SinkChannel sink = pipe.sink()) {
      Future<Long> transfer = threads.submit(() -> channel.transferTo(0, channel.size(), sink));
      // The file's second run is longer than a pipe: when a byte of it comes out, its write blocks.
      byte[] expected = image.original("plain");
      ByteBuffer received = ByteBuffer.allocate(expected.length).limit(13 * PAGE);
      fill(received, source);
      image.close();
      assertThat(ProcMaps.containing(image.packed.toString())).hasSize(1);
      fill(received.limit(expected.length), source);
      assertThat(received.array()).isEqualTo(expected);
      assertThat(transfer.get()).isEqualTo(expected.length);
    }
    assertThat(ProcMaps.containing(image.packed.toString())).isEmpty();
  }

  private static void fill(ByteBuffer to, Pipe.SourceChannel source) throws IOException {
    while (to.hasRemaining()) {
      source.read(to);
    }
  }

  /** Writes to a pipe until it is full, so that the next write blocks. */
  private static Pipe fullPipe() throws IOException {
    Pipe pipe = Pipe.open();
    pipe.sink().configureBlocking(false);
    while (pipe.sink().write(room()) > 0) {
      // There was still room.
    }
    pipe.sink().configureBlocking(true);
    return pipe;
  }

  @Test
  void aTransferToAChannelThatIsClosedMeanwhileSaysSo() throws Exception {
    Pipe pipe = fullPipe();
    FileChannel channel = image.channel("plain");
    try (ExecutorService threads = Executors.newSingleThreadExecutor();
        Pipe.SourceChannel source = pipe.source()) {
      CountDownLatch started = new CountDownLatch(1);
      Future<Long> transfer =
          threads.submit(
              () -> {
                started.countDown();
                return channel.transferTo(0, channel.size(), pipe.sink());
              });
      started.await();
      pipe.sink().close();
      assertThatExceptionOfType(ExecutionException.class)
          .isThrownBy(transfer::get)
          .withCauseInstanceOf(ClosedChannelException.class);
      assertThat(channel.isOpen()).isTrue();
      assertThat(source.isOpen()).isTrue();
    }
  }

  @Test
  void anInterruptOfATransferClosesBothChannels() throws Exception {
    Pipe pipe = fullPipe();
    FileChannel channel = image.channel("plain");
    Thread thread = Thread.currentThread();
    try (Pipe.SourceChannel source = pipe.source()) {
      Thread.ofPlatform().start(thread::interrupt);
      assertThatExceptionOfType(ClosedByInterruptException.class)
          .isThrownBy(() -> channel.transferTo(0, 100_000, pipe.sink()));
      assertThat(Thread.interrupted()).isTrue();
      assertThat(channel.isOpen() || pipe.sink().isOpen()).isFalse();
      assertThat(source.isOpen()).isTrue();
    }
    assertThat(image.channel("hello.txt").read(room())).isEqualTo(6);
  }

  @Test
  void anInterruptClosesAChannelButNoStream() throws IOException {
    FileChannel channel = image.channel("plain");
    Thread.currentThread().interrupt();
    assertThatExceptionOfType(ClosedByInterruptException.class)
        .isThrownBy(() -> channel.read(room()));
    assertThat(Thread.interrupted()).isTrue();
    assertThat(channel.isOpen()).isFalse();
    try (InputStream stream = image.channels.openStream("plain", image.inode("plain"))) {
      Thread.currentThread().interrupt();
      assertThat(stream.readAllBytes()).isEqualTo(image.original("plain"));
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  @Test
  void anInterruptThatIsThereBeforeAMappingHarmsNoOtherChannel() throws IOException {
    FileChannel channel = image.channel("scattered");
    Thread.currentThread().interrupt();
    assertThatExceptionOfType(ClosedByInterruptException.class)
        .isThrownBy(() -> channel.map(MapMode.READ_ONLY, 0, 10));
    assertThat(Thread.interrupted()).isTrue();
    assertThat(channel.isOpen()).isFalse();
    FileChannel other = image.channel("scattered");
    assertThat(other.map(MapMode.READ_ONLY, 0, other.size()))
        .isEqualTo(ByteBuffer.wrap(image.original("scattered")));
  }

  @Test
  void everyStreamReadsTheWholeFile() throws IOException {
    for (String file : ChannelImage.FILES) {
      byte[] expected = image.original(file);
      try (InputStream stream = image.channels.openStream(file, image.inode(file))) {
        assertThat(stream.readAllBytes()).as(file).isEqualTo(expected);
        assertThat(stream.read()).isEqualTo(-1);
      }
      ByteArrayOutputStream copy = new ByteArrayOutputStream();
      try (InputStream stream = image.channels.openStream(file, image.inode(file))) {
        assertThat(stream.skip(5)).isEqualTo(Math.min(5, expected.length));
        stream.transferTo(copy);
      }
      assertThat(copy.toByteArray())
          .isEqualTo(Arrays.copyOfRange(expected, Math.min(5, expected.length), expected.length));
    }
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                Channels.newInputStream(image.channel("hello.txt")), StandardCharsets.UTF_8))) {
      assertThat(reader.readLine()).isEqualTo("hello");
    }
  }

  @Test
  void aStoreIntoAPrivateMappingIsSeenThereAlone() throws IOException {
    byte[] expected = image.original("scattered");
    FileChannel channel = image.channel("scattered");
    try (Arena arena = Arena.ofConfined()) {
      MappedByteBuffer buffer = channel.map(MapMode.PRIVATE, 3, 5 * PAGE);
      MemorySegment memory = channel.map(MapMode.PRIVATE, 0, channel.size(), arena);
      assertThat(buffer).isEqualTo(ByteBuffer.wrap(expected, 3, 5 * PAGE));
      buffer.put(0, (byte) ~expected[3]);
      buffer.force();
      memory.set(ValueLayout.JAVA_BYTE, PAGE, (byte) ~expected[PAGE]);
      assertThat(buffer.isReadOnly() || memory.isReadOnly()).isFalse();
      assertThat(memory.isMapped()).isTrue();
      assertThat(channel.map(MapMode.READ_ONLY, 0, channel.size()))
          .isEqualTo(ByteBuffer.wrap(expected));
      ByteBuffer read = ByteBuffer.allocate(expected.length);
      assertThat(channel.read(read, 0)).isEqualTo(expected.length);
      assertThat(read.array()).isEqualTo(expected);
      channel.close();
      image.close();
      assertThat(buffer.get(0)).isEqualTo((byte) ~expected[3]);
      assertThat(buffer.get(PAGE)).isEqualTo(expected[3 + PAGE]);
    }
  }

  @Test
  void everyCallOnACutImageThrowsTheCheckedException() throws IOException {
    FileChannel channel = image.channel("plain");
    MappedByteBuffer buffer = channel.map(MapMode.READ_ONLY, 0, channel.size());
    cut();
    WritableByteChannel stream = Channels.newChannel(new ByteArrayOutputStream());
    try (FileChannel target =
            FileChannel.open(
                folder.resolve("target"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        Arena arena = Arena.ofConfined()) {
      assertCut(() -> channel.transferTo(0, 50_000, target));
      assertCut(() -> channel.read(room()));
      assertCut(() -> channel.read(ByteBuffer.allocateDirect(PAGE), 5 * PAGE));
      assertCut(() -> channel.read(new ByteBuffer[] {room(), room()}));
      assertCut(() -> channel.transferTo(0, 50_000, stream));
      assertCut(() -> channel.map(MapMode.READ_ONLY, 0, 10));
      assertCut(() -> channel.map(MapMode.PRIVATE, 0, 10));
      assertCut(() -> channel.map(MapMode.READ_ONLY, 0, 10, arena));
    }
    assertThat(channel.position()).isZero();
    byte[] zeros = new byte[buffer.capacity()];
    buffer.get(zeros);
    assertThat(zeros).containsOnly(0);
  }

  private static void assertCut(ThrowingCallable call) {
    assertThatExceptionOfType(CorruptImageException.class)
        .isThrownBy(call)
        .withMessageContaining("truncated while in use");
  }

  @Test
  void twoFilesAreLockedIndependentlyAndOneNotTwice() throws IOException {
    FileChannel again = image.channel("plain");
    try (FileChannel plain = image.channel("plain");
        FileChannel other = image.channel("sparse")) {
      FileLock lock = plain.lock(10, 10, true);
      assertThat(other.tryLock(10, 10, true)).isNotNull();
      assertThat(again.tryLock(20, 10, true)).isNotNull();
      assertThatExceptionOfType(OverlappingFileLockException.class)
          .isThrownBy(() -> again.tryLock(0, 0, true));
      lock.release();
      assertThat(lock.isValid()).isFalse();
      assertThat(again.tryLock(0, 20, true).isValid()).isTrue();
      again.close();
      assertThat(plain.tryLock(0, 0, true).isShared()).isTrue();
    }
  }

  @Test
  void aChannelThatIsClosedMeanwhileGetsNoLock() throws IOException {
    ImageLocks locks = new ImageLocks();
    FileChannel closed = image.channel("plain");
    closed.close();
    try (FileChannel plain = image.channel("plain")) {
      assertThatExceptionOfType(ClosedChannelException.class)
          .isThrownBy(() -> locks.lock(closed, 12, 0, 10));
      assertThat(locks.lock(plain, 12, 0, 10).isValid()).isTrue();
    }
  }

  @Test
  void aFileThatCannotBeMappedIsReadAndTransferred() throws IOException {
    Path packed = Images.ext2(image.tree, folder.resolve("small.img"), "-b", "1024");
    byte[] expected = image.original("plain");
    try (OpenImage opened = OpenImage.open(packed);
        ImageChannels channels = new ImageChannels(opened);
        FileChannel channel =
            channels.open("plain", PathResolver.resolve(opened.image(), "plain", true))) {
      assertThatExceptionOfType(FileSystemException.class)
          .isThrownBy(() -> channel.map(MapMode.READ_ONLY, 0, 10))
          .withMessageContaining("block size below page size");
      ByteBuffer read = ByteBuffer.allocate(expected.length);
      assertThat(channel.read(read)).isEqualTo(expected.length);
      assertThat(read.array()).isEqualTo(expected);
      ByteArrayOutputStream copy = new ByteArrayOutputStream();
      assertThat(channel.transferTo(0, expected.length, Channels.newChannel(copy)))
          .isEqualTo(expected.length);
      assertThat(copy.toByteArray()).isEqualTo(expected);
    }
  }

  @Test
  void aDirectoryIsNoFile() {
    assertThatExceptionOfType(FileSystemException.class)
        .isThrownBy(() -> image.channel("sub"))
        .withMessageContaining("Is a directory");
  }

  @Test
  void aFilePastTwoGigabytesIsReadAtItsEndAndMappedInParts() throws IOException {
    Path large = image.tree.resolve("large");
    Trees.write(large, (5L << 30) - PAGE, 2 * PAGE, new Random(3));
    Path packed = Images.ext2(image.tree, folder.resolve("large.img"), "-b", "4096");
    try (OpenImage opened = OpenImage.open(packed);
        ImageChannels channels = new ImageChannels(opened);
        FileChannel judge = FileChannel.open(large);
        Arena arena = Arena.ofConfined();
        FileChannel channel =
            channels.open("large", PathResolver.resolve(opened.image(), "large", true))) {
      ByteBuffer expected = ByteBuffer.allocate(3 * PAGE);
      ByteBuffer read = ByteBuffer.allocate(3 * PAGE);
      long from = (5L << 30) - 2 * PAGE;
      assertThat(channel.size()).isEqualTo(judge.size());
      assertThat(channel.position(from).read(read)).isEqualTo(judge.read(expected, from));
      assertThat(read).isEqualTo(expected);
      assertThat(channel.position()).isEqualTo(judge.size());
      assertThat(channel.map(MapMode.READ_ONLY, from, 3 * PAGE)).isEqualTo(expected.flip());
      MemorySegment whole = channel.map(MapMode.READ_ONLY, 0, channel.size(), arena);
      assertThat(whole.byteSize()).isEqualTo(judge.size());
      assertThat(whole.asSlice(from).asByteBuffer()).isEqualTo(expected);
      assertThat(whole.get(ValueLayout.JAVA_LONG, 3L << 30)).isZero();
    }
  }
}
