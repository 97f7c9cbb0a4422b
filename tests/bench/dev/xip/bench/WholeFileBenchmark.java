package dev.xip.bench;

import dev.xip.file.WholeFile;
import dev.xip.host.Libxip;
import dev.xip.image.BlockMap;
import dev.xip.image.FileContent;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.mount.OpenImage;
import dev.xip.testing.Fragments;
import dev.xip.testing.Images;
import dev.xip.testing.Processes;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * A file that is contiguous or scattered in extents of equal size: random reads of 8 bytes, random
 * copies of 4 KiB and copies of 1 MiB in order, all to native memory. {@code Raw} is as much of the
 * image itself from its first byte on, which is in the page cache like the file (another file may
 * be in larger folios and so be faster); {@code Pieces} copies the file's extents without a
 * look-up; {@code Read} goes extent by extent, {@code View} through a contiguous view; {@code
 * FileChannel} reads the image file.
 */
@State(Scope.Thread)
public class WholeFileBenchmark extends CommonOptions {
  private static final int BATCH = 1 << 14;
  private static final int PAGE = 4096;
  private static final int LARGE = 1 << 20;

  /** A view in single pages may have less than 64 MiB: see MappingBudget. */
  private static final int BYTES = 60 << 20;

  /** The length of an extent in pages, 0 for a contiguous file. */
  @Param({"0", "4", "1"})
  int extent;

  private Path scratch;
  private FileChannel channel;
  private OpenImage mount;
  private WholeFile whole;
  private FileContent content;
  private MemorySegment image;
  private MemorySegment raw;
  private MemorySegment view;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment page = arena.allocate(PAGE, PAGE);
  private final MemorySegment large = arena.allocate(LARGE, PAGE);
  private final ByteBuffer pageBuffer = page.asByteBuffer();
  private final ByteBuffer largeBuffer = large.asByteBuffer();
  private final long[] offsets = new long[BATCH];
  private final int[] firstPieces = new int[BYTES / LARGE];
  private long[] fileStarts;
  private long[] starts;
  private long[] lengths;
  private int next;

  /** Packs and scatters the file, and touches every page. */
  @Setup
  public void open() throws IOException {
    scratch = Files.createTempDirectory("xip-bench");
    Path file = Files.createDirectory(scratch.resolve("tree")).resolve("file");
    Random random = new Random(7);
    for (int at = 0; at < BYTES; at += LARGE) {
      Trees.write(file, at, LARGE, random);
    }
    Path packed = Images.ext2(scratch.resolve("tree"));
    if (extent > 0) {
      Fragments.scatter(packed, "file", extent, 42);
    }
    channel = FileChannel.open(packed);
    mount = OpenImage.open(packed);
    image = mount.image().memory();
    raw = image.asSlice(0, BYTES);
    Inode inode = PathResolver.resolve(mount.image(), "file", true);
    content = FileContent.of(mount.image(), inode);
    whole = mount.whole(inode);
    view = whole.memory();
    if (view.mismatch(MemorySegment.ofArray(Files.readAllBytes(file))) >= 0) {
      throw new IOException(
          "view of %s: expected the bytes of the file, found others".formatted(file));
    }
    BlockMap map = content.blockMap();
    for (int i = 0; i < firstPieces.length; i++) {
      firstPieces[i] = map.indexAtOrAfter((long) i * LARGE);
    }
    fileStarts = new long[map.extentCount()];
    starts = new long[map.extentCount()];
    lengths = new long[map.extentCount()];
    for (int i = 0; i < starts.length; i++) {
      fileStarts[i] = map.extent(i).fileOffset();
      starts[i] = map.extent(i).imageOffset();
      lengths[i] = map.extent(i).length();
    }
    for (long at = 0; at < image.byteSize(); at += LARGE) {
      MemorySegment.copy(image, at, large, 0, Math.min(LARGE, image.byteSize() - at));
    }
    for (int i = 0; i < BATCH; i++) {
      offsets[i] = (long) random.nextInt(BYTES / PAGE) * PAGE;
    }
  }

  /** Unmaps and removes everything. */
  @TearDown
  public void close() throws IOException {
    whole.close();
    mount.close();
    channel.close();
    arena.close();
    Processes.run("rm", "-r", scratch.toString());
  }

  private long nextLarge() {
    next = next == BYTES - LARGE ? 0 : next + LARGE;
    return next;
  }

  /** The limit. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public long eightBytesRaw() {
    return sum(raw);
  }

  /** Through the view. */
  @Benchmark
  @DoesNotAllocate
  @OperationsPerInvocation(BATCH)
  public long eightBytesView() {
    return sum(view);
  }

  private long sum(MemorySegment memory) {
    long sum = 0;
    for (long offset : offsets) {
      sum += memory.get(ValueLayout.JAVA_LONG_UNALIGNED, offset + (offset >>> 7 & 0xff8));
    }
    return sum;
  }

  /** The limit. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void pagesRaw() {
    for (long offset : offsets) {
      MemorySegment.copy(raw, offset, page, 0, PAGE);
    }
  }

  /** Extent by extent. */
  @Benchmark
  @DoesNotAllocate
  @OperationsPerInvocation(BATCH)
  public void pagesRead() throws IOException {
    for (long offset : offsets) {
      content.read(offset, page);
    }
  }

  /** Through the view. */
  @Benchmark
  @DoesNotAllocate
  @OperationsPerInvocation(BATCH)
  public void pagesView() throws IOException {
    for (long offset : offsets) {
      whole.read(offset, page);
    }
  }

  /** The peer. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void pagesFileChannel() throws IOException {
    for (long offset : offsets) {
      channel.read(pageBuffer.clear(), offset);
    }
  }

  /** The limit: contiguous memory. */
  @Benchmark
  public void megabytesRaw() {
    MemorySegment.copy(raw, nextLarge(), large, 0, LARGE);
  }

  /** The same extents in order, known beforehand. */
  @Benchmark
  public void megabytesPieces() {
    long at = nextLarge();
    int piece = firstPieces[(int) (at / LARGE)];
    for (long done = 0; done < LARGE; piece++) {
      long skipped = at + done - fileStarts[piece];
      long bytes = Math.min(lengths[piece] - skipped, LARGE - done);
      MemorySegment.copy(image, starts[piece] + skipped, large, done, bytes);
      done += bytes;
    }
  }

  /** Extent by extent. */
  @Benchmark
  @DoesNotAllocate
  public void megabytesRead() throws IOException {
    content.read(nextLarge(), large);
  }

  /** Through the view. */
  @Benchmark
  @DoesNotAllocate
  public void megabytesView() throws IOException {
    whole.read(nextLarge(), large);
  }

  /** The peer. */
  @Benchmark
  public void megabytesFileChannel() throws IOException {
    channel.read(largeBuffer.clear(), nextLarge());
  }

  /** The limit of the sum of a file: a loop in C over as much of the image; per long. */
  @Benchmark
  @OperationsPerInvocation(BYTES / Long.BYTES)
  public long sumInC() {
    return Libxip.get().sumOfLongs(raw);
  }

  /** The same over the view. */
  @Benchmark
  @DoesNotAllocate
  @OperationsPerInvocation(BYTES / Long.BYTES)
  public long sumView() {
    MemorySegment file = view;
    long sum = 0;
    for (long at = 0; at < BYTES; at += Long.BYTES) {
      sum += file.get(ValueLayout.JAVA_LONG, at);
    }
    return sum;
  }
}
