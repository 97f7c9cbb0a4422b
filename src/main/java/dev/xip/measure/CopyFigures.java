package dev.xip.measure;

import static dev.xip.measure.Figure.params;

import dev.xip.base.Pages;
import dev.xip.measure.Race.Lane;
import dev.xip.vm.AddressReader;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SequencedMap;

/** Copies out of a mapped file into native memory, beside MemorySegment.copy and a system call. */
final class CopyFigures {
  private static final String COPY = "MemorySegment.copy";
  private static final String CHANNEL = "FileChannel.read";
  private static final String UNIT = "ns/copy";

  private static final long BYTES = 1L << 30;
  private static final int PAGE = (int) Pages.SIZE;
  private static final int PAGES_COPIED = 1 << 9;
  private static final int PAGES_AT_ONCE = 16;
  private static final int PIECE = 1 << 20;
  private static final long EXTENT_PAGES = 4;
  private static final int EXTENT = (int) (EXTENT_PAGES * Pages.SIZE);

  private CopyFigures() {}

  static List<Figure> measure(Path folder) throws IOException {
    List<Figure> figures = new ArrayList<>();
    try (Arena arena = Arena.ofConfined();
        MappedFile file = MappedFile.create(folder, BYTES)) {
      MemorySegment target = arena.allocate(PIECE, Pages.SIZE);
      pages(file, target, figures);
      sequential(file, target, figures);
      extents(file, target, figures);
    }
    return figures;
  }

  private static void pages(MappedFile file, MemorySegment target, List<Figure> figures)
      throws IOException {
    long[] places = new Random(42).longs(1 << 16, 0, BYTES >>> Pages.SHIFT).toArray();
    for (int i = 0; i < places.length; i++) {
      places[i] <<= Pages.SHIFT;
    }
    try (MappedFile.View view = file.map(file.contiguous())) {
      Race race = new Race();
      Lane raw = race.lane(PAGES_COPIED, new RawCopies(file.raw(), target, places));
      Lane ours =
          race.lane(
              PAGES_COPIED,
              new AddressCopies(new AddressReader(view.space()), view.start(), target, places));
      Lane channel = race.lane(PAGES_COPIED, new ChannelCopies(file.channel(), target, places));
      race.run();
      String name = "random 4 KiB copies";
      figures.add(figure(name, params("bytes", "1 GiB"), ours, COPY, raw, Goal.times(1.05)));
      figures.add(figure(name, params("bytes", "1 GiB"), ours, CHANNEL, channel, Goal.ahead(1.8)));
    }
  }

  private static void sequential(MappedFile file, MemorySegment target, List<Figure> figures)
      throws IOException {
    try (MappedFile.View view = file.map(file.contiguous())) {
      AddressReader reader = new AddressReader(view.space());
      Cursor rawAt = new Cursor();
      Cursor oursAt = new Cursor();
      Cursor channelAt = new Cursor();
      ByteBuffer buffer = target.asByteBuffer();
      Race race = new Race();
      Lane raw =
          race.lane(
              1,
              () -> {
                MemorySegment.copy(file.raw(), rawAt.next(), target, 0, PIECE);
                return rawAt.at;
              });
      Lane ours =
          race.lane(
              1,
              () -> {
                reader.copy(view.start() + oursAt.next(), target, 0, PIECE);
                return oursAt.at;
              });
      Lane channel =
          race.lane(
              1,
              () -> {
                read(file.channel(), buffer.clear(), channelAt.next());
                return channelAt.at;
              });
      race.run();
      String name = "sequential 1 MiB copies";
      figures.add(figure(name, params("extents", "1"), ours, COPY, raw, Goal.ahead(0.97)));
      figures.add(figure(name, params("extents", "1"), ours, CHANNEL, channel, Goal.ahead(1.5)));
    }
  }

  private static void extents(MappedFile file, MemorySegment target, List<Figure> figures)
      throws IOException {
    MappedFile.ScatteredFile scattered = file.scattered(EXTENT_PAGES);
    try (MappedFile.View view = file.map(scattered)) {
      AddressReader reader = new AddressReader(view.space());
      Cursor rawAt = new Cursor();
      Cursor oursAt = new Cursor();
      Race race = new Race();
      Lane raw =
          race.lane(
              1,
              () -> {
                long first = rawAt.next();
                for (int done = 0; done < PIECE; done += EXTENT) {
                  MemorySegment.copy(
                      file.raw(), scattered.place(first + done), target, done, EXTENT);
                }
                return first;
              });
      Lane ours =
          race.lane(
              1,
              () -> {
                reader.copy(view.start() + oursAt.next(), target, 0, PIECE);
                return oursAt.at;
              });
      race.run();
      figures.add(
          figure(
              "sequential 1 MiB copies",
              params("extents", "of 4 pages"),
              ours,
              "MemorySegment.copy of the extents",
              raw,
              Goal.ahead(0.95)));
    }
  }

  private static Figure figure(
      String name,
      SequencedMap<String, String> params,
      Lane ours,
      String against,
      Lane other,
      Goal goal) {
    return new Figure(name, params, UNIT, ours.median(), against, other.median(), goal);
  }

  /** Goes through the file piece by piece and starts again at its end. */
  private static final class Cursor {
    private long at = -PIECE;

    long next() {
      at = at + PIECE & BYTES - 1;
      return at;
    }
  }

  /** Pages out of the mapped file. */
  private static final class RawCopies implements Race.Work {
    private final MemorySegment mem;
    private final MemorySegment target;
    private final long[] places;
    private int next;

    RawCopies(MemorySegment mem, MemorySegment target, long[] places) {
      this.mem = mem;
      this.target = target;
      this.places = places;
    }

    @Override
    public long run() {
      for (int i = 0; i < PAGES_COPIED; i++) {
        MemorySegment.copy(mem, places[next + i], target, 0, PAGE);
      }
      next = next + PAGES_COPIED & places.length - 1;
      return next;
    }
  }

  /** Pages through addresses, some at a time, which they are told of together. */
  private static final class AddressCopies implements Race.Work {
    private final AddressReader reader;
    private final long start;
    private final MemorySegment target;
    private final long[] places;
    private final long[] addresses = new long[PAGES_AT_ONCE];
    private int next;

    AddressCopies(AddressReader reader, long start, MemorySegment target, long[] places) {
      this.reader = reader;
      this.start = start;
      this.target = target;
      this.places = places;
    }

    @Override
    public long run() throws IOException {
      for (int done = 0; done < PAGES_COPIED; done += PAGES_AT_ONCE) {
        for (int i = 0; i < PAGES_AT_ONCE; i++) {
          addresses[i] = start + places[next + done + i];
        }
        reader.copyEach(addresses, PAGES_AT_ONCE, PAGE, target, 0);
      }
      next = next + PAGES_COPIED & places.length - 1;
      return next;
    }
  }

  /** Pages through a system call each. */
  private static final class ChannelCopies implements Race.Work {
    private final FileChannel channel;
    private final ByteBuffer buffer;
    private final long[] places;
    private int next;

    ChannelCopies(FileChannel channel, MemorySegment target, long[] places) {
      this.channel = channel;
      this.buffer = target.asSlice(0, PAGE).asByteBuffer();
      this.places = places;
    }

    @Override
    public long run() throws IOException {
      for (int i = 0; i < PAGES_COPIED; i++) {
        read(channel, buffer.clear(), places[next + i]);
      }
      next = next + PAGES_COPIED & places.length - 1;
      return next;
    }
  }

  private static void read(FileChannel channel, ByteBuffer buffer, long place) throws IOException {
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, place + buffer.position()) < 0) {
        throw new IOException("the benchmark's file ends at 0x%x".formatted(place));
      }
    }
  }
}
