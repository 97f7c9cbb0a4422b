package dev.xip.bench;

import dev.xip.base.Pages;
import dev.xip.measure.Copies;
import dev.xip.measure.MappedFile;
import dev.xip.measure.Workload;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Copies out of a mapped file of 1 GiB into native memory: random pages, and mebibytes in order,
 * from a contiguous file and from one in extents of four pages. The limit is MemorySegment.copy,
 * the peer a system call.
 */
public class CopyBenchmark extends CommonOptions {
  private static final long BYTES = 1 << 30;
  private static final long EXTENT_PAGES = 4;

  /** A machine that has the file mapped twice. */
  @State(Scope.Thread)
  public static class Mapped {
    private final Arena arena = Arena.ofShared();
    private final MemorySegment target = arena.allocate(Copies.PIECE, Pages.SIZE);
    private final long[] places = Copies.places(BYTES);
    private MappedFile file;
    private MappedFile.View whole;
    private MappedFile.View pieces;
    private Workload rawPages;
    private Workload pages;
    private Workload pagesTogether;
    private Workload pageCalls;
    private Workload raw;
    private Workload rawExtents;
    private Workload contiguous;
    private Workload extents;
    private Workload calls;

    /** Makes the file and touches every page of it. */
    @Setup
    public void map() throws IOException {
      file = MappedFile.create(Path.of(System.getProperty("java.io.tmpdir")), BYTES);
      MappedFile.ScatteredFile scattered = file.scattered(EXTENT_PAGES);
      whole = file.map(file.contiguous());
      pieces = file.map(scattered);
      rawPages = Copies.raw(file.raw(), places, target);
      pages = Copies.through(whole.reader(), whole.start(), places, target);
      pagesTogether = Copies.together(whole.reader(), whole.start(), places, target);
      pageCalls = Copies.calls(file.channel(), places, target);
      raw = Copies.rawPieces(file.raw(), target);
      rawExtents = Copies.rawExtents(scattered, target);
      contiguous = Copies.pieces(whole.reader(), whole.start(), BYTES, target);
      extents = Copies.pieces(pieces.reader(), pieces.start(), BYTES, target);
      calls = Copies.pieceCalls(file.channel(), BYTES, target);
    }

    /** Ends the machine and removes the file. */
    @TearDown
    public void unmap() {
      pieces.close();
      whole.close();
      file.close();
      arena.close();
    }
  }

  /** The limit of random pages. */
  @Benchmark
  @OperationsPerInvocation(Copies.PAGES)
  public long pagesRaw(Mapped in) throws IOException {
    return in.rawPages.run();
  }

  /** Random pages through addresses, one by one. */
  @Benchmark
  @DoesNotAllocate
  @OperationsPerInvocation(Copies.PAGES)
  public long pagesOneByOne(Mapped in) throws IOException {
    return in.pages.run();
  }

  /** Random pages through addresses, 16 at a time; per page. */
  @Benchmark
  @DoesNotAllocate
  @OperationsPerInvocation(Copies.PAGES)
  public long pagesTogether(Mapped in) throws IOException {
    return in.pagesTogether.run();
  }

  /** The peer: a system call for every page. */
  @Benchmark
  @OperationsPerInvocation(Copies.PAGES)
  public long pagesFileChannel(Mapped in) throws IOException {
    return in.pageCalls.run();
  }

  /** The limit of a contiguous mebibyte. */
  @Benchmark
  public long megabytesRaw(Mapped in) throws IOException {
    return in.raw.run();
  }

  /** A contiguous mebibyte through addresses. */
  @Benchmark
  @DoesNotAllocate
  public long megabytes(Mapped in) throws IOException {
    return in.contiguous.run();
  }

  /** The limit of a mebibyte in extents of four pages. */
  @Benchmark
  public long megabytesInExtentsRaw(Mapped in) throws IOException {
    return in.rawExtents.run();
  }

  /** A mebibyte in extents of four pages through addresses. */
  @Benchmark
  @DoesNotAllocate
  public long megabytesInExtents(Mapped in) throws IOException {
    return in.extents.run();
  }

  /** The peer: a system call for every mebibyte. */
  @Benchmark
  public long megabytesFileChannel(Mapped in) throws IOException {
    return in.calls.run();
  }
}
