package dev.xip.measure;

import dev.xip.base.Pages;
import dev.xip.image.FileContent;
import dev.xip.vm.AddressReader;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Random;

/**
 * Copies into native memory, of random pages and of pieces in order: through addresses, through a
 * file, through system calls, and of the memory itself. Each workload is for one thread.
 */
public final class Copies {
  /** The pages that one run copies. */
  public static final int PAGES = 1 << 9;

  /** The bytes of a piece; one run copies one. */
  public static final int PIECE = 1 << 20;

  private static final int PAGE = (int) Pages.SIZE;

  /** The addresses that one call takes. */
  static final int AT_ONCE = 16;

  /** A power of two. */
  private static final int PLACES = 1 << 16;

  private Copies() {}

  /**
   * Chooses random pages, the same ones each time.
   *
   * @param bytes the size of the file or memory
   * @return the offsets of the pages
   */
  public static long[] places(long bytes) {
    long pages = bytes >>> Pages.SHIFT;
    return new Random(42).longs(PLACES, 0, pages).map(page -> page << Pages.SHIFT).toArray();
  }

  /**
   * The limit: {@link #PAGES} pages out of memory.
   *
   * @param mem the memory
   * @param places the offsets of the pages
   * @param target the destination, at least a page
   * @return the workload
   */
  public static Workload raw(MemorySegment mem, long[] places, MemorySegment target) {
    return new AtPlaces(places) {
      @Override
      void run(long[] places, int from, int to) {
        for (int i = from; i < to; i++) {
          MemorySegment.copy(mem, places[i], target, 0, PAGE);
        }
      }
    };
  }

  /**
   * The same through addresses, one by one.
   *
   * @param reader the reader
   * @param start the first address
   * @param places the offsets of the pages from there on
   * @param target the destination, at least a page
   * @return the workload
   */
  public static Workload through(
      AddressReader reader, long start, long[] places, MemorySegment target) {
    return new AtPlaces(places) {
      @Override
      void run(long[] places, int from, int to) throws IOException {
        for (int i = from; i < to; i++) {
          reader.copy(start + places[i], target, 0, PAGE);
        }
      }
    };
  }

  /**
   * The same with 16 addresses in each call.
   *
   * @param reader the reader
   * @param start the first address
   * @param places the offsets of the pages from there on
   * @param target the destination, at least 16 pages
   * @return the workload
   */
  public static Workload together(
      AddressReader reader, long start, long[] places, MemorySegment target) {
    long[] addresses = new long[AT_ONCE];
    return new AtPlaces(places) {
      @Override
      void run(long[] places, int from, int to) throws IOException {
        for (int at = from; at < to; at += AT_ONCE) {
          for (int i = 0; i < AT_ONCE; i++) {
            addresses[i] = start + places[at + i];
          }
          reader.copyEach(addresses, AT_ONCE, PAGE, target, 0);
        }
      }
    };
  }

  /**
   * The same through a file in an image.
   *
   * @param content the file
   * @param places the offsets of the pages
   * @param target the destination, exactly a page
   * @return the workload
   */
  static Workload reads(FileContent content, long[] places, MemorySegment target) {
    return new AtPlaces(places) {
      @Override
      void run(long[] places, int from, int to) throws IOException {
        for (int i = from; i < to; i++) {
          content.read(places[i], target);
        }
      }
    };
  }

  /**
   * The peer: a system call for each page.
   *
   * @param channel the file
   * @param places the offsets of the pages
   * @param target the destination, at least a page
   * @return the workload
   */
  public static Workload calls(FileChannel channel, long[] places, MemorySegment target) {
    ByteBuffer buffer = target.asSlice(0, PAGE).asByteBuffer();
    return new AtPlaces(places) {
      @Override
      void run(long[] places, int from, int to) throws IOException {
        for (int i = from; i < to; i++) {
          read(channel, places[i], buffer);
        }
      }
    };
  }

  /**
   * The limit of pieces in order.
   *
   * @param mem the memory, a multiple of a piece
   * @param target the destination, at least a piece
   * @return the workload
   */
  public static Workload rawPieces(MemorySegment mem, MemorySegment target) {
    return new InOrder(mem.byteSize()) {
      @Override
      void run(long at) {
        MemorySegment.copy(mem, at, target, 0, PIECE);
      }
    };
  }

  /**
   * The limit where a piece consists of extents: one copy for each.
   *
   * @param file a file; a piece must be a multiple of its extents
   * @param target the destination, at least a piece
   * @return the workload
   */
  public static Workload rawExtents(MappedFile.ScatteredFile file, MemorySegment target) {
    MemorySegment mem = file.file().raw();
    long extent = file.extentPages() << Pages.SHIFT;
    return new InOrder(file.size()) {
      @Override
      void run(long at) {
        for (long done = 0; done < PIECE; done += extent) {
          MemorySegment.copy(mem, file.place(at + done), target, done, extent);
        }
      }
    };
  }

  /**
   * Pieces in order through addresses.
   *
   * @param reader the reader
   * @param start the first address
   * @param bytes the size of the mapping, a multiple of a piece
   * @param target the destination, at least a piece
   * @return the workload
   */
  public static Workload pieces(
      AddressReader reader, long start, long bytes, MemorySegment target) {
    return new InOrder(bytes) {
      @Override
      void run(long at) throws IOException {
        reader.copy(start + at, target, 0, PIECE);
      }
    };
  }

  /**
   * A system call for each piece.
   *
   * @param channel the file
   * @param bytes its size, a multiple of a piece
   * @param target the destination, exactly a piece
   * @return the workload
   */
  public static Workload pieceCalls(FileChannel channel, long bytes, MemorySegment target) {
    ByteBuffer buffer = target.asByteBuffer();
    return new InOrder(bytes) {
      @Override
      void run(long at) throws IOException {
        read(channel, at, buffer);
      }
    };
  }

  private static void read(FileChannel channel, long place, ByteBuffer buffer) throws IOException {
    buffer.clear();
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, place + buffer.position()) < 0) {
        throw new IOException("the benchmark's file ends at 0x%x".formatted(place));
      }
    }
  }

  /** Goes through places and starts again at their end. */
  private abstract static class AtPlaces implements Workload {
    private final long[] places;
    private int next;

    AtPlaces(long[] places) {
      this.places = places;
      this.next = StartOffsets.next(PLACES / PAGES) * PAGES;
    }

    @Override
    public long run() throws IOException {
      int from = next;
      next = from + PAGES & PLACES - 1;
      run(places, from, from + PAGES);
      return from;
    }

    abstract void run(long[] places, int from, int to) throws IOException;
  }

  /** Goes through bytes piece by piece and starts again at their end. */
  private abstract static class InOrder implements Workload {
    private final long bytes;
    private long next;

    InOrder(long bytes) {
      this.bytes = bytes;
      this.next = (long) StartOffsets.next(bytes / PIECE) * PIECE;
    }

    @Override
    public long run() throws IOException {
      long at = next;
      next = at + PIECE == bytes ? 0 : at + PIECE;
      run(at);
      return at;
    }

    abstract void run(long at) throws IOException;
  }
}
