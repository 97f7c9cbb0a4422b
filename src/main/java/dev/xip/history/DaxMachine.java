package dev.xip.history;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.file.MemoryBlocks;
import dev.xip.file.MemoryFile;
import dev.xip.host.HostFile;
import dev.xip.host.Sharing;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Walk;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.PageFrames;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.RamBanks;
import dev.xip.phys.Region;
import dev.xip.phys.RegionFrames;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.Era;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MapRequest;
import dev.xip.vm.MemoryManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A machine with a device of memory and a file system on it, with or without page frames for the
 * device. For one thread.
 */
final class DaxMachine implements AutoCloseable {
  private static final EntryLayout LAYOUT = X8664Layout.INSTANCE;
  private static final long DEVICE = 64L << 20;
  private static final long DEVICE_BYTES = 1L << 20;

  private final PhysicalMemory memory;
  private final HostFile host;
  private final Region region;
  private final MemoryManager manager;

  private DaxMachine(RegionFrames kind) throws IOException {
    memory = PhysicalMemory.boot(4L << 30, RamBanks.of(4L << 20), kind);
    region = memory.claim("PMEM", AddrRange.ofLength(DEVICE, DEVICE_BYTES), false);
    host = HostFile.memfd("pmem");
    host.truncate(DEVICE_BYTES);
    memory.mapFile(region, 0, host, 0, DEVICE_BYTES, Access.READ_WRITE, Sharing.SHARED);
    manager =
        new MemoryManager(
            memory, LAYOUT, FrameStrategy.SPECIAL_BIT.on(memory, LAYOUT), era(kind).rules());
  }

  static DaxMachine boot(RegionFrames kind) throws IOException {
    return new DaxMachine(kind);
  }

  /** {@return the era whose rules go with the page frames} */
  static Era era(RegionFrames kind) {
    return switch (kind) {
      case NONE -> Era.LINUX_3_19;
      case DEVMAP -> Era.LINUX_4_5;
      case COUNTED -> Era.LINUX_6_19;
    };
  }

  /** {@return how the era is named at the head of a column} */
  static String column(RegionFrames kind) {
    return switch (kind) {
      case NONE -> "no struct page";
      case DEVMAP -> "devmap (4.5)";
      case COUNTED -> "counted (6.15)";
    };
  }

  static List<String> columns(String first) {
    return List.of(
        first,
        column(RegionFrames.NONE),
        column(RegionFrames.DEVMAP),
        column(RegionFrames.COUNTED));
  }

  PhysicalMemory memory() {
    return memory;
  }

  PageFrames frames() {
    return memory.frames();
  }

  MemoryManager manager() {
    return manager;
  }

  /**
   * Makes a file system on the device.
   *
   * @param looksAtPins whether its truncations wait for pins
   */
  MemoryBlocks blocks(boolean looksAtPins) {
    MemorySegment bytes = memory.window().asSlice(DEVICE, DEVICE_BYTES);
    return new MemoryBlocks(bytes, DEVICE >>> Pages.SHIFT, looksAtPins ? memory.frames() : null);
  }

  /** Makes a file of one page that holds one number. */
  static MemoryFile file(MemoryBlocks blocks, String name, long number) throws IOException {
    MemoryFile file = blocks.create(name);
    long[] words = new long[(int) (Pages.SIZE / Long.BYTES)];
    words[0] = number;
    file.write(0, MemorySegment.ofArray(words));
    return file;
  }

  /** {@return the first number of a file} */
  static long number(MemoryFile file) {
    long[] word = new long[1];
    file.read(0, MemorySegment.ofArray(word));
    return word[0];
  }

  /** {@return a process that maps a file shared and has read its page} */
  AddressSpace user(MemoryFile file) throws IOException {
    AddressSpace space = manager.newAddressSpace("user");
    AddrRange range = space.map(MapRequest.shared(file, Access.READ_WRITE));
    Trial.touch(space, range, Access.READ);
    return space;
  }

  static long address(AddressSpace space) {
    return space.vmas().getFirst().range().start();
  }

  /** {@return the entry for the first mapping's first page} */
  static long entry(AddressSpace space) {
    Walk walk = new Walk();
    return space.table().walk(address(space), walk) ? walk.pte() : LAYOUT.empty();
  }

  EntryLayout layout() {
    return LAYOUT;
  }

  @Override
  public void close() {
    manager.spaces().forEach(AddressSpace::close);
    try {
      memory.release(region);
      host.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      memory.close();
    }
  }
}
