package dev.xip.stress;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.file.MemoryBlocks;
import dev.xip.file.MemoryFile;
import dev.xip.host.HostFile;
import dev.xip.host.Sharing;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.FrameAllocator;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.Region;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MemoryManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Function;

/**
 * The one machine of a test's JVM. A trial takes a slot, such as a process with one page mapped,
 * and its arbiter restores and returns it: booting a machine, or even making a process, for each of
 * millions of trials would take nearly all the time.
 *
 * @param <T> the slot of a trial
 */
final class StressMachine<T> {
  private static final long WINDOW_BYTES = 2L << 30;
  private static final long RAM_BYTES = 512L << 20;
  private static final long DEVICE = 1L << 30;
  private static final long DEVICE_BYTES = 64L << 20;

  private final MemoryManager manager;
  private final MemoryBlocks device;
  private final Function<StressMachine<T>, T> newSlot;
  private final Queue<T> free = new ConcurrentLinkedQueue<>();

  /** A machine of today: x86-64 with its special bit. */
  StressMachine(Function<StressMachine<T>, T> newSlot) {
    this(X8664Layout.INSTANCE, FrameStrategy.SPECIAL_BIT, newSlot);
  }

  StressMachine(EntryLayout layout, FrameStrategy strategy, Function<StressMachine<T>, T> newSlot) {
    this.newSlot = newSlot;
    try {
      PhysicalMemory memory = PhysicalMemory.boot(WINDOW_BYTES, RAM_BYTES);
      Region region = memory.claim("DEVICE", AddrRange.ofLength(DEVICE, DEVICE_BYTES), false);
      HostFile bytes = HostFile.memfd("device");
      bytes.truncate(DEVICE_BYTES);
      memory.mapFile(region, 0, bytes, 0, DEVICE_BYTES, Access.READ_WRITE, Sharing.SHARED);
      manager = new MemoryManager(memory, layout, strategy.on(memory, layout));
      device =
          new MemoryBlocks(memory.window().asSlice(DEVICE, DEVICE_BYTES), DEVICE >>> Pages.SHIFT);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** {@return a slot in its initial state} */
  T take() {
    T slot = free.poll();
    return slot == null ? newSlot.apply(this) : slot;
  }

  void putBack(T slot) {
    free.add(slot);
  }

  StressedSpace space() {
    try {
      return new StressedSpace(manager.newAddressSpace("slot"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** An empty file. */
  MemoryFile file() {
    return device.create("file");
  }

  /** A file of one page, all of whose words are the same. */
  MemoryFile file(long word) {
    MemoryFile file = file();
    fill(file, word);
    return file;
  }

  /** Writes one page of equal words. */
  static void fill(MemoryFile file, long word) {
    long[] words = new long[(int) (Pages.SIZE / Long.BYTES)];
    Arrays.fill(words, word);
    try {
      file.write(0, MemorySegment.ofArray(words));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Makes a file longer or shorter. */
  static void truncate(MemoryFile file, long size) {
    try {
      file.truncate(size);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A frame of RAM that the page cache holds. */
  long cachedFrame() {
    FrameAllocator allocator = manager.memory().allocator();
    return allocator.allocate(FrameUse.PAGE_CACHE);
  }

  int references(long pfn) {
    return manager.memory().frames().references(pfn);
  }

  int mappings(long pfn) {
    return manager.memory().frames().mappings(pfn);
  }
}
