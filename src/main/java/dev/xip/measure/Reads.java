package dev.xip.measure;

import dev.xip.vm.AddressReader;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.Random;

/**
 * Reads of eight bytes through addresses, and the same reads of the memory itself and through
 * system calls. Each workload is for one thread.
 */
public final class Reads {
  /** The reads of one run at places known beforehand. */
  public static final int READS = 1 << 14;

  /** The reads of one run that depend on each other. */
  public static final int DEPENDENT_READS = 1 << 11;

  /** The system calls of one run. */
  public static final int CALLS = 1 << 9;

  /** So many that their cache lines exceed every cache. */
  private static final int PLACES = 1 << 21;

  private Reads() {}

  /**
   * Chooses random places, the same ones each time.
   *
   * @param bytes the size of the file or memory, at most 16 GiB
   * @return offsets in units of eight bytes
   */
  public static int[] places(long bytes) {
    return new Random(42).ints(PLACES, 0, (int) (bytes >>> 3)).toArray();
  }

  /**
   * The limit: {@link #READS} loads, several of which the processor can have in flight.
   *
   * @param mem the memory
   * @param places the result of {@link #places}
   * @return the workload
   */
  public static Workload raw(MemorySegment mem, int[] places) {
    return new AtPlaces(places, READS) {
      @Override
      long run(int[] places, int from, int to) {
        MemorySegment all = mem;
        long sum = 0;
        for (int i = from; i < to; i++) {
          sum += all.get(ValueLayout.JAVA_LONG_UNALIGNED, (long) places[i] << 3);
        }
        return sum;
      }
    };
  }

  /**
   * The same through addresses, {@link #READS} of them one by one.
   *
   * @param addresses the reader
   * @param start the first address
   * @param places the result of {@link #places}, from there on
   * @return the workload
   */
  public static Workload through(AddressReader addresses, long start, int[] places) {
    return new AtPlaces(places, READS) {
      @Override
      long run(int[] places, int from, int to) throws IOException {
        // Locals, because each read ends in a fence, after which fields are loaded again.
        AddressReader reader = addresses;
        long first = start;
        long sum = 0;
        for (int i = from; i < to; i++) {
          sum += reader.getLong(first + ((long) places[i] << 3));
        }
        return sum;
      }
    };
  }

  /**
   * The same, {@link #READS} of them with 256 addresses in each call.
   *
   * @param reader the reader
   * @param start the first address
   * @param places the result of {@link #places}, from there on
   * @return the workload
   */
  public static Workload gathered(AddressReader reader, long start, int[] places) {
    long[] addresses = new long[256];
    long[] values = new long[addresses.length];
    return new AtPlaces(places, READS) {
      @Override
      long run(int[] places, int from, int to) throws IOException {
        long sum = 0;
        for (int at = from; at < to; at += addresses.length) {
          for (int i = 0; i < addresses.length; i++) {
            addresses[i] = start + ((long) places[at + i] << 3);
          }
          reader.getLongs(addresses, values, addresses.length);
          for (long value : values) {
            sum += value;
          }
        }
        return sum;
      }
    };
  }

  /**
   * The peer: {@link #CALLS} reads, each through a system call.
   *
   * @param channel the file
   * @param places the result of {@link #places}
   * @return the workload
   */
  public static Workload calls(FileChannel channel, int[] places) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(8).order(ByteOrder.nativeOrder());
    return new AtPlaces(places, CALLS) {
      @Override
      long run(int[] places, int from, int to) throws IOException {
        long sum = 0;
        for (int i = from; i < to; i++) {
          channel.read(buffer.clear(), (long) places[i] << 3);
          sum += buffer.getLong(0);
        }
        return sum;
      }
    };
  }

  /**
   * The limit where each of {@link #DEPENDENT_READS} loads waits for the one before it.
   *
   * @param mem the memory; its size is a power of two
   * @return the workload
   */
  public static Workload dependentRaw(MemorySegment mem) {
    return new Dependent(mem.byteSize()) {
      @Override
      long run(long from, int shift) {
        MemorySegment all = mem;
        long x = from;
        for (int i = 0; i < DEPENDENT_READS; i++) {
          x = step(all.get(ValueLayout.JAVA_LONG_UNALIGNED, x >>> shift << 3), x + i);
        }
        return x;
      }
    };
  }

  /**
   * The same through addresses.
   *
   * @param addresses the reader
   * @param start the first address
   * @param bytes the size of the mapping, a power of two
   * @return the workload
   */
  public static Workload dependent(AddressReader addresses, long start, long bytes) {
    return new Dependent(bytes) {
      @Override
      long run(long from, int shift) throws IOException {
        AddressReader reader = addresses;
        long first = start;
        long x = from;
        for (int i = 0; i < DEPENDENT_READS; i++) {
          x = step(reader.getLong(first + (x >>> shift << 3)), x + i);
        }
        return x;
      }
    };
  }

  /** Goes through places and starts again at their end. */
  private abstract static class AtPlaces implements Workload {
    private final int[] places;
    private final int atOnce;
    private int next;

    AtPlaces(int[] places, int atOnce) {
      this.places = places;
      this.atOnce = atOnce;
      this.next = StartOffsets.next(PLACES / atOnce) * atOnce;
    }

    @Override
    public long run() throws IOException {
      int from = next;
      next = from + atOnce & PLACES - 1;
      return run(places, from, from + atOnce);
    }

    abstract long run(int[] places, int from, int to) throws IOException;
  }

  /** The place of each read depends on the value that the one before it found. */
  private abstract static class Dependent implements Workload {
    private final int shift;
    private long state;

    Dependent(long bytes) {
      shift = Long.numberOfLeadingZeros(bytes - 1) + 3;
      state = StartOffsets.next(Integer.MAX_VALUE);
    }

    @Override
    public long run() throws IOException {
      state = run(state, shift);
      return state;
    }

    abstract long run(long from, int shift) throws IOException;

    static long step(long value, long seed) {
      return (value ^ seed) * 0x9E3779B97F4A7C15L;
    }
  }
}
