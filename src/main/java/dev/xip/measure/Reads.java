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
 * system calls. Each work is for one thread.
 */
public final class Reads {
  /** So many reads at places known beforehand are one work. */
  public static final int READS = 1 << 14;

  /** So many reads that wait for each other are one work. */
  public static final int DEPENDENT_READS = 1 << 11;

  /** So many system calls are one work. */
  public static final int CALLS = 1 << 9;

  /** Enough places that their cache lines do not stay in any cache. */
  private static final int PLACES = 1 << 21;

  private Reads() {}

  /**
   * Chooses random places, the same ones each time.
   *
   * @param bytes how many bytes they lie in, at most 16 GiB
   * @return multiples of eight bytes
   */
  public static int[] places(long bytes) {
    return new Random(42).ints(PLACES, 0, (int) (bytes >>> 3)).toArray();
  }

  /**
   * The limit: {@link #READS} loads, of which the processor can have several under way.
   *
   * @param mem the memory
   * @param places where to read
   * @return the work
   */
  public static Work raw(MemorySegment mem, int[] places) {
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
   * @param addresses reads them
   * @param start the first address
   * @param places where to read, from there on
   * @return the work
   */
  public static Work through(AddressReader addresses, long start, int[] places) {
    return new AtPlaces(places, READS) {
      @Override
      long run(int[] places, int from, int to) throws IOException {
        // In locals: each read ends in a fence, after which fields are read again.
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
   * The same, {@link #READS} of them with some hundred addresses handed over at a time.
   *
   * @param reader reads them
   * @param start the first address
   * @param places where to read, from there on
   * @return the work
   */
  public static Work gathered(AddressReader reader, long start, int[] places) {
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
   * What one would do instead: {@link #CALLS} reads through a system call each.
   *
   * @param channel the file
   * @param places where to read
   * @return the work
   */
  public static Work calls(FileChannel channel, int[] places) {
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
   * @param mem the memory, a power of two in size
   * @return the work
   */
  public static Work dependentRaw(MemorySegment mem) {
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
   * @param addresses reads them
   * @param start the first address
   * @param bytes how many bytes are mapped there, a power of two
   * @return the work
   */
  public static Work dependent(AddressReader addresses, long start, long bytes) {
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
  private abstract static class AtPlaces implements Work {
    private final int[] places;
    private final int atOnce;
    private int next;

    AtPlaces(int[] places, int atOnce) {
      this.places = places;
      this.atOnce = atOnce;
      this.next = Beginnings.next(PLACES / atOnce) * atOnce;
    }

    @Override
    public long run() throws IOException {
      int from = next;
      next = from + atOnce & PLACES - 1;
      return run(places, from, from + atOnce);
    }

    abstract long run(int[] places, int from, int to) throws IOException;
  }

  /** Where a read goes depends on what the one before it found. */
  private abstract static class Dependent implements Work {
    private final int shift;
    private long state;

    Dependent(long bytes) {
      shift = Long.numberOfLeadingZeros(bytes - 1) + 3;
      state = Beginnings.next(Integer.MAX_VALUE);
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
