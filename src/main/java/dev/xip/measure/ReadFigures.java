package dev.xip.measure;

import static dev.xip.measure.Figure.params;

import dev.xip.measure.Race.Lane;
import dev.xip.vm.AddressReader;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Reads of eight bytes through addresses, beside the memory itself and a system call. */
final class ReadFigures {
  private static final String UNIT = "ns/read";
  private static final String GATHERED = "gathered 8-byte reads";
  private static final String RAW = "raw";
  private static final String CHANNEL = "FileChannel.read";

  private static final long LARGE_BYTES = 1L << 30;
  private static final long SMALL_BYTES = 128 << 10;

  /** So many pages make 1,024 fragments of a gibibyte. */
  private static final long FRAGMENT_PAGES = 256;

  /** Enough places that their cache lines do not stay in any cache; a power of two. */
  private static final int PLACES = 1 << 20;

  private static final int READS = 1 << 14;
  private static final int DEPENDENT_READS = 1 << 11;
  private static final int CHANNEL_READS = 1 << 9;

  /** How often a thread of several does its reads, so that starting it costs little beside them. */
  private static final int MANY = 16;

  private ReadFigures() {}

  static List<Figure> measure(Path folder) throws IOException {
    List<Figure> figures = new ArrayList<>();
    try (MappedFile file = MappedFile.create(folder, LARGE_BYTES)) {
      large(file, figures);
      fragments(file, figures);
      threads(file, figures);
    }
    try (MappedFile file = MappedFile.create(folder, SMALL_BYTES)) {
      small(file, figures);
    }
    return figures;
  }

  private static void large(MappedFile file, List<Figure> figures) throws IOException {
    int[] places = places(file.bytes());
    try (MappedFile.View view = file.map(file.contiguous())) {
      AddressReader reader = new AddressReader(view.space());
      Race race = new Race();
      Lane raw = race.lane(READS, new RawReads(file.raw(), places));
      Lane ours = race.lane(READS, new AddressReads(reader, view.start(), places));
      Lane gathered =
          race.lane(
              READS, new GatheredReads(new AddressReader(view.space()), view.start(), places));
      Lane channel = race.lane(CHANNEL_READS, new ChannelReads(file.channel(), places));
      race.run();
      String name = "random 8-byte reads";
      add(figures, name, params("bytes", "1 GiB"), ours, RAW, raw, Goal.times(1.5));
      add(figures, GATHERED, params("bytes", "1 GiB"), gathered, RAW, raw, Goal.times(1.5));
      add(figures, name, params("bytes", "1 GiB"), ours, CHANNEL, channel, Goal.ahead(40));

      race = new Race();
      raw = race.lane(DEPENDENT_READS, new DependentRawReads(file.raw()));
      ours =
          race.lane(
              DEPENDENT_READS,
              new DependentAddressReads(
                  new AddressReader(view.space()), view.start(), file.bytes()));
      race.run();
      add(
          figures,
          "dependent 8-byte reads",
          params("bytes", "1 GiB"),
          ours,
          RAW,
          raw,
          Goal.times(1.10));
    }
  }

  private static void fragments(MappedFile file, List<Figure> figures) throws IOException {
    int[] places = places(file.bytes());
    try (MappedFile.View view = file.map(file.scattered(FRAGMENT_PAGES))) {
      Race race = new Race();
      Lane raw = race.lane(READS, new RawReads(file.raw(), places));
      Lane ours =
          race.lane(READS, new AddressReads(new AddressReader(view.space()), view.start(), places));
      Lane gathered =
          race.lane(
              READS, new GatheredReads(new AddressReader(view.space()), view.start(), places));
      race.run();
      add(
          figures,
          "random 8-byte reads",
          params("bytes", "1 GiB", "fragments", "1,024"),
          ours,
          RAW,
          raw,
          Goal.times(3));
      add(
          figures,
          GATHERED,
          params("bytes", "1 GiB", "fragments", "1,024"),
          gathered,
          RAW,
          raw,
          Goal.times(3));
    }
  }

  private static void small(MappedFile file, List<Figure> figures) throws IOException {
    int[] places = places(file.bytes());
    try (MappedFile.View view = file.map(file.contiguous())) {
      Race race = new Race();
      Lane raw = race.lane(READS, new RawReads(file.raw(), places));
      Lane ours =
          race.lane(READS, new AddressReads(new AddressReader(view.space()), view.start(), places));
      Lane gathered =
          race.lane(
              READS, new GatheredReads(new AddressReader(view.space()), view.start(), places));
      race.run();
      add(
          figures,
          "random 8-byte reads",
          params("bytes", "128 KiB"),
          ours,
          RAW,
          raw,
          Goal.times(2));
      add(figures, GATHERED, params("bytes", "128 KiB"), gathered, RAW, raw, Goal.times(2));
    }
  }

  /** Two threads beside one: what two read in a second against what one does. */
  private static void threads(MappedFile file, List<Figure> figures) throws IOException {
    int[] places = places(file.bytes());
    try (MappedFile.View view = file.map(file.contiguous());
        ExecutorService workers = Executors.newFixedThreadPool(2)) {
      List<Callable<Long>> pair = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        AddressReads reads =
            new AddressReads(new AddressReader(view.space()), view.start(), places);
        pair.add(() -> many(reads));
      }
      AddressReads alone = new AddressReads(new AddressReader(view.space()), view.start(), places);
      Race race = new Race();
      Lane one = race.lane(READS * MANY, () -> many(alone));
      Lane two = race.lane(2 * READS * MANY, () -> together(workers, pair));
      race.run();
      add(
          figures,
          "two threads reading",
          params("bytes", "1 GiB"),
          two,
          "one thread",
          one,
          Goal.ahead(1.9));
    }
  }

  private static long many(AddressReads reads) throws IOException {
    long sum = 0;
    for (int i = 0; i < MANY; i++) {
      sum += reads.run();
    }
    return sum;
  }

  private static long together(ExecutorService workers, List<Callable<Long>> work)
      throws IOException {
    try {
      long sum = 0;
      for (Future<Long> each : workers.invokeAll(work)) {
        sum += each.get();
      }
      return sum;
    } catch (InterruptedException | ExecutionException e) {
      throw new IOException("two threads reading: " + e.getMessage(), e);
    }
  }

  private static void add(
      List<Figure> figures,
      String name,
      SequencedMap<String, String> params,
      Lane ours,
      String against,
      Lane other,
      Goal goal) {
    figures.add(new Figure(name, params, UNIT, ours.median(), against, other.median(), goal));
  }

  /** Random offsets, in units of eight bytes. */
  private static int[] places(long bytes) {
    Random random = new Random(42);
    int[] places = new int[PLACES];
    for (int i = 0; i < PLACES; i++) {
      places[i] = random.nextInt((int) (bytes >>> 3));
    }
    return places;
  }

  /** Reads at places known beforehand, so that the processor can have several under way. */
  private static final class RawReads implements Race.Work {
    private final MemorySegment mem;
    private final int[] places;
    private int next;

    RawReads(MemorySegment mem, int[] places) {
      this.mem = mem;
      this.places = places;
    }

    @Override
    public long run() {
      // In locals, here and below: each read ends in a fence, after which fields are read again.
      MemorySegment mem = this.mem;
      int[] places = this.places;
      long sum = 0;
      int at = next;
      for (int i = 0; i < READS; i++) {
        sum += mem.get(ValueLayout.JAVA_LONG_UNALIGNED, (long) places[at + i] << 3);
      }
      next = at + READS & PLACES - 1;
      return sum;
    }
  }

  /** The same through addresses. */
  private static final class AddressReads implements Race.Work {
    private final AddressReader reader;
    private final long start;
    private final int[] places;
    private int next;

    AddressReads(AddressReader reader, long start, int[] places) {
      this.reader = reader;
      this.start = start;
      this.places = places;
    }

    @Override
    public long run() throws IOException {
      AddressReader reader = this.reader;
      long start = this.start;
      int[] places = this.places;
      long sum = 0;
      int at = next;
      for (int i = 0; i < READS; i++) {
        sum += reader.getLong(start + ((long) places[at + i] << 3));
      }
      next = at + READS & PLACES - 1;
      return sum;
    }
  }

  /** The same with some hundred addresses handed over at a time. */
  private static final class GatheredReads implements Race.Work {
    private static final int AT_ONCE = 256;

    private final AddressReader reader;
    private final long start;
    private final int[] places;
    private final long[] addresses = new long[AT_ONCE];
    private final long[] values = new long[AT_ONCE];
    private int next;

    GatheredReads(AddressReader reader, long start, int[] places) {
      this.reader = reader;
      this.start = start;
      this.places = places;
    }

    @Override
    public long run() throws IOException {
      long sum = 0;
      for (int at = next; at < next + READS; at += AT_ONCE) {
        for (int i = 0; i < AT_ONCE; i++) {
          addresses[i] = start + ((long) places[at + i] << 3);
        }
        reader.getLongs(addresses, values, AT_ONCE);
        for (long value : values) {
          sum += value;
        }
      }
      next = next + READS & PLACES - 1;
      return sum;
    }
  }

  /** The same through a system call each. */
  private static final class ChannelReads implements Race.Work {
    private final FileChannel channel;
    private final int[] places;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(8).order(ByteOrder.nativeOrder());
    private int next;

    ChannelReads(FileChannel channel, int[] places) {
      this.channel = channel;
      this.places = places;
    }

    @Override
    public long run() throws IOException {
      long sum = 0;
      int at = next;
      for (int i = 0; i < CHANNEL_READS; i++) {
        channel.read(buffer.clear(), (long) places[at + i] << 3);
        sum += buffer.getLong(0);
      }
      next = at + CHANNEL_READS & PLACES - 1;
      return sum;
    }
  }

  /** Where a read goes depends on what the one before it found. */
  private static long step(long value, long seed) {
    return (value ^ seed) * 0x9E3779B97F4A7C15L;
  }

  /** Each read waits for the one before it. */
  private static final class DependentRawReads implements Race.Work {
    private final MemorySegment mem;
    private final int shift;
    private long state = 1;

    DependentRawReads(MemorySegment mem) {
      this.mem = mem;
      this.shift = Long.numberOfLeadingZeros(mem.byteSize() - 1) + 3;
    }

    @Override
    public long run() {
      long x = state;
      for (int i = 0; i < DEPENDENT_READS; i++) {
        x = step(mem.get(ValueLayout.JAVA_LONG_UNALIGNED, x >>> shift << 3), x + i);
      }
      state = x;
      return x;
    }
  }

  /** The same through addresses. */
  private static final class DependentAddressReads implements Race.Work {
    private final AddressReader reader;
    private final long start;
    private final int shift;
    private long state = 1;

    DependentAddressReads(AddressReader reader, long start, long bytes) {
      this.reader = reader;
      this.start = start;
      this.shift = Long.numberOfLeadingZeros(bytes - 1) + 3;
    }

    @Override
    public long run() throws IOException {
      AddressReader reader = this.reader;
      long start = this.start;
      int shift = this.shift;
      long x = state;
      for (int i = 0; i < DEPENDENT_READS; i++) {
        x = step(reader.getLong(start + (x >>> shift << 3)), x + i);
      }
      state = x;
      return x;
    }
  }
}
