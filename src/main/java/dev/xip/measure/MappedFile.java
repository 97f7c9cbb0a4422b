package dev.xip.measure;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.host.HostFile;
import dev.xip.host.ScratchFolder;
import dev.xip.host.Sharing;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.PageRun;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.Region;
import dev.xip.vm.AddressReader;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.MapRequest;
import dev.xip.vm.MemoryManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;

/**
 * A file of non-zero bytes, mapped as a segment of a machine with every page touched. Address
 * spaces map it as one extent or as extents in random order.
 */
public final class MappedFile implements AutoCloseable {
  private static final long FIRST_ADDRESS = 4L << 30;
  private static final long RAM_BYTES = 256L << 20;

  private final long bytes;
  private final FileChannel channel;
  private final PhysicalMemory memory;
  private final MemorySegment raw;

  private MappedFile(long bytes, FileChannel channel, PhysicalMemory memory) {
    this.bytes = bytes;
    this.channel = channel;
    this.memory = memory;
    this.raw = memory.window().asSlice(FIRST_ADDRESS, bytes);
  }

  /**
   * Makes a file, maps it and unlinks it, so that it ends with this process.
   *
   * @param folder its folder, on a file system with room
   * @param bytes its size, whole pages
   * @return the file, to be closed
   * @throws IOException if there is no room for it, or for a window of its size
   */
  public static MappedFile create(Path folder, long bytes) throws IOException {
    FileChannel channel = null;
    PhysicalMemory memory = null;
    try (ScratchFolder scratch = ScratchFolder.in(folder, "xip-bench")) {
      Path path = scratch.path().resolve("data");
      channel =
          FileChannel.open(
              path,
              StandardOpenOption.CREATE_NEW,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE);
      fill(channel, bytes);
      memory = PhysicalMemory.boot(FIRST_ADDRESS + bytes, RAM_BYTES);
      Region region = memory.claim("BENCH", AddrRange.ofLength(FIRST_ADDRESS, bytes), true);
      try (HostFile file = HostFile.openReadOnly(path)) {
        memory.mapFile(region, 0, file, 0, bytes, Access.READ, Sharing.SHARED);
      }
      MappedFile mapped = new MappedFile(bytes, channel, memory);
      mapped.touch();
      return mapped;
    } catch (IOException | RuntimeException e) {
      if (memory != null) {
        memory.close();
      }
      if (channel != null) {
        channel.close();
      }
      throw e;
    }
  }

  private static void fill(FileChannel channel, long bytes) throws IOException {
    byte[] chunk = new byte[1 << 20];
    new Random(42).nextBytes(chunk);
    for (long at = 0; at < bytes; at += chunk.length) {
      ByteBuffer buffer = ByteBuffer.wrap(chunk, 0, (int) Math.min(chunk.length, bytes - at));
      buffer.putLong(0, at);
      while (buffer.hasRemaining()) {
        channel.write(buffer, at + buffer.position());
      }
    }
    channel.force(false); // otherwise the kernel writes it back while reads are timed
  }

  private void touch() {
    long sum = 0;
    for (long at = 0; at < bytes; at += Pages.SIZE) {
      sum += raw.get(java.lang.foreign.ValueLayout.JAVA_BYTE, at);
    }
    if (sum == 0) {
      throw new IllegalStateException("benchmark file: expected non-zero bytes, found zeros");
    }
  }

  /** {@return its size in bytes, whole pages} */
  public long bytes() {
    return bytes;
  }

  /** {@return a channel that reads the file, closed with this} */
  public FileChannel channel() {
    return channel;
  }

  /** {@return the mapped memory itself, which is the limit; valid until this is closed} */
  public MemorySegment raw() {
    return raw;
  }

  /** {@return the page frame number of a page of the file} */
  private long pfn(long page) {
    return (FIRST_ADDRESS >>> Pages.SHIFT) + page;
  }

  /** {@return the file as one extent, for {@link #map}} */
  public Mappable contiguous() {
    return scattered(bytes >>> Pages.SHIFT);
  }

  /**
   * Returns a file of the same size that has extents of this one in random order.
   *
   * @param extentPages the pages of each
   * @return the file, for {@link #map}
   */
  public ScatteredFile scattered(long extentPages) {
    long extents = (bytes >>> Pages.SHIFT) / extentPages;
    return new ScatteredFile(this, extentPages, ScatteredFile.shuffled((int) extents));
  }

  /**
   * Maps a file in a new address space and touches every page of it.
   *
   * @param file the result of {@link #contiguous} or {@link #scattered}
   * @return the address space, to be closed before this
   * @throws IOException if it cannot be mapped
   */
  public View map(Mappable file) throws IOException {
    AddressSpace space =
        new MemoryManager(memory, X8664Layout.INSTANCE).newAddressSpace("benchmark");
    try {
      long start = space.map(MapRequest.shared(file, Access.READ)).start();
      View view = new View(space, start);
      view.touch(bytes);
      return view;
    } catch (IOException | RuntimeException e) {
      space.close();
      throw e;
    }
  }

  /**
   * An address space that has the file mapped.
   *
   * @param space the address space
   * @param start the first address of the mapping
   */
  public record View(AddressSpace space, long start) implements AutoCloseable {
    /** {@return a new reader, for one thread} */
    public AddressReader reader() {
      return new AddressReader(space);
    }

    private void touch(long bytes) throws IOException {
      for (long at = 0; at < bytes; at += Pages.SIZE) {
        space.fault(start + at, Access.READ);
      }
    }

    @Override
    public void close() {
      space.close();
    }
  }

  /** Ends the machine and the file. */
  @Override
  public void close() {
    memory.close();
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * A file whose extents are those of a mapped file in another order.
   *
   * @param file the mapped file
   * @param extentPages the pages of an extent
   * @param order the index in the mapped file of each extent of this one
   */
  public record ScatteredFile(MappedFile file, long extentPages, int[] order) implements Mappable {
    static int[] shuffled(int count) {
      int[] order = new int[count];
      Random random = new Random(7);
      for (int i = 0; i < count; i++) {
        int j = random.nextInt(i + 1);
        order[i] = order[j];
        order[j] = i;
      }
      return order;
    }

    /** {@return the offset in the mapped file of an offset in this one} */
    long place(long offset) {
      long extentBytes = extentPages << Pages.SHIFT;
      return order[(int) (offset / extentBytes)] * extentBytes + offset % extentBytes;
    }

    @Override
    public String name() {
      return "benchmark";
    }

    @Override
    public long size() {
      return order.length * extentPages << Pages.SHIFT;
    }

    @Override
    public PageRun translate(long page) {
      int extent = (int) (page / extentPages);
      if (extent >= order.length) {
        return PageRun.HOLE;
      }
      long within = page % extentPages;
      return new PageRun(file.pfn(order[extent] * extentPages + within), extentPages - within);
    }
  }
}
