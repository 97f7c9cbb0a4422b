package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.file.CachedFile;
import dev.xip.file.ChangeableFile;
import dev.xip.file.MemoryBlocks;
import dev.xip.file.MemoryFile;
import dev.xip.file.PageCache;
import dev.xip.host.HostException;
import dev.xip.host.HostFile;
import dev.xip.host.Sharing;
import dev.xip.mapping.Mappable;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Walk;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.RamBanks;
import dev.xip.phys.Region;
import dev.xip.phys.RegionFrames;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Function;

/**
 * A machine with RAM, and a device of writable memory without page frames for files. Closing it
 * ends all spaces and files and asserts that every count is that of boot.
 */
public final class TestMachine implements AutoCloseable {
  /** Where the device lies: in a section of its own, so that every memory model knows it. */
  public static final long DEVICE = 128L << 20;

  private static final long DEVICE_BYTES = 4L << 20;

  public final PhysicalMemory memory;
  public final MemoryManager manager;
  public final MemoryBlocks device;
  public final PageCache cache;

  /** How many bad entries a test makes on purpose. */
  public long badEntriesExpected;

  private final HostFile deviceFile;
  private final Region region;
  private final long framesAtBoot;

  /** A machine of today: x86-64, the special bit, the default rules. */
  public TestMachine() {
    this(Rules.DEFAULT);
  }

  /** The same under other rules. */
  public TestMachine(Rules rules) {
    this(X8664Layout.INSTANCE, FrameStrategy.SPECIAL_BIT, rules);
  }

  public TestMachine(EntryLayout layout, FrameStrategy strategy, Rules rules) {
    this(layout, strategy, rules, RamBanks.of(16L << 20));
  }

  /** A machine whose RAM lies in banks; the device may be in a hole. */
  TestMachine(EntryLayout layout, FrameStrategy strategy, Rules rules, RamBanks banks) {
    this(
        layout,
        memory -> strategy.on(memory, layout),
        rules,
        strategy.memMap(banks, layout),
        RegionFrames.NONE);
  }

  /** A machine whose device brings page frames along. */
  TestMachine(EntryLayout layout, Rules rules, RegionFrames kind) {
    this(
        layout,
        memory -> FrameStrategy.SPECIAL_BIT.on(memory, layout),
        rules,
        RamBanks.of(16L << 20),
        kind);
  }

  /** A machine of today with a strategy of the test's own. */
  TestMachine(Function<PhysicalMemory, NormalFrame> strategy) {
    this(X8664Layout.INSTANCE, strategy, Rules.DEFAULT, RamBanks.of(16L << 20), RegionFrames.NONE);
  }

  private TestMachine(
      EntryLayout layout,
      Function<PhysicalMemory, NormalFrame> strategy,
      Rules rules,
      RamBanks banks,
      RegionFrames kind) {
    try {
      memory = PhysicalMemory.boot(256L << 20, banks, kind);
      NormalFrame frames = strategy.apply(memory);
      region = memory.claim("DEVICE", new AddrRange(DEVICE, DEVICE + DEVICE_BYTES), false);
      deviceFile = HostFile.memfd("device");
      deviceFile.truncate(DEVICE_BYTES);
      memory.mapFile(region, 0, deviceFile, 0, DEVICE_BYTES, Access.READ_WRITE, Sharing.SHARED);
      manager = new MemoryManager(memory, layout, frames, rules);
      device =
          new MemoryBlocks(
              memory.window().asSlice(DEVICE, DEVICE_BYTES),
              DEVICE >>> Pages.SHIFT,
              memory.frames());
      cache = new PageCache(memory);
      framesAtBoot = memory.allocator().inUse();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public AddressSpace space(String name) {
    try {
      return manager.newAddressSpace(name);
    } catch (MapException e) {
      throw new UncheckedIOException(e);
    }
  }

  public AddressSpace fork(AddressSpace parent) {
    try {
      return parent.fork("child");
    } catch (MapException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A file whose every word holds its own offset, plus one. */
  public MemoryFile file(String name, int pages) {
    MemoryFile file = device.create(name);
    fill(file, pages);
    return file;
  }

  /** The same through the page cache, in RAM. */
  public CachedFile cached(String name, int pages) {
    CachedFile file = cache.create(name);
    fill(file, pages);
    return file;
  }

  private static void fill(ChangeableFile file, int pages) {
    long[] words = new long[(int) (pages * Pages.SIZE / 8)];
    for (int i = 0; i < words.length; i++) {
      words[i] = 8L * i + 1;
    }
    try {
      assertThat(file.write(0, MemorySegment.ofArray(words))).isEqualTo(pages * Pages.SIZE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A file of holes. */
  public MemoryFile holes(String name, int pages) {
    MemoryFile file = device.create(name);
    try {
      file.truncate(pages * Pages.SIZE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return file;
  }

  public static final long PRIVATE =
      VmaFlags.READ
          | VmaFlags.WRITE
          | VmaFlags.MAYREAD
          | VmaFlags.MAYWRITE
          | VmaFlags.MAYEXEC
          | VmaFlags.MIXEDMAP;
  public static final long SHARED = PRIVATE | VmaFlags.SHARED | VmaFlags.MAYSHARE;
  public static final long ANONYMOUS = PRIVATE & ~VmaFlags.MIXEDMAP;

  /** The flags of a mapping of a file, of either kind. */
  static long flags(Mappable file, boolean shared) {
    long flags = shared ? SHARED : PRIVATE;
    return file.cachedPages() == null ? flags : flags & ~VmaFlags.MIXEDMAP;
  }

  /** Puts a mapping into a space; the place must be free. */
  public static long map(AddressSpace space, long start, int pages, long flags, MemoryFile file) {
    AddrRange range = AddrRange.ofLength(start, pages * Pages.SIZE);
    return map(space, file == null ? Vma.anonymous(range, flags) : new Vma(range, flags, file, 0));
  }

  public static long map(AddressSpace space, Vma vma) {
    try {
      long stamp = space.mm().lockToChange();
      try {
        space.mm().install(space.mm().vmas().with(vma));
      } finally {
        space.mm().unlockExclusively(stamp);
      }
    } catch (MapException e) {
      throw new UncheckedIOException(e);
    }
    return vma.range().start();
  }

  public static long read(AddressSpace space, long va) {
    try {
      return new AddressReader(space).getLong(va);
    } catch (MemoryFaultException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static void write(AddressSpace space, long va, long value) {
    try {
      new AddressWriter(space).putLong(va, value);
    } catch (MemoryFaultException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static long read(MemoryFile file, long position) {
    long[] word = new long[1];
    file.read(position, MemorySegment.ofArray(word));
    return word[0];
  }

  public static void write(MemoryFile file, long position, long value) {
    MemorySegment word = MemorySegment.ofArray(new long[1]);
    word.set(ValueLayout.JAVA_LONG, 0, value);
    try {
      file.write(position, word);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The entry for an address, empty if there is no table. */
  public static long entry(AddressSpace space, long va) {
    Walk walk = new Walk();
    return space.table().walk(va, walk) ? walk.pte() : space.table().layout().empty();
  }

  public int references(long pfn) {
    return memory.frames().references(pfn);
  }

  /** Asserts that all counts agree with the tables. */
  public void verify() {
    assertThat(Verifier.verify(manager)).isEmpty();
  }

  /** Asserts the state of boot. */
  public void requireBootState() {
    assertThat(manager.spaces()).isEmpty();
    assertThat(manager.reverseMap().files()).isZero();
    long kernelHalf = memory.allocator().inUse(FrameUse.KERNEL);
    assertThat(memory.allocator().inUse() - cache.pages() - kernelHalf).isEqualTo(framesAtBoot);
    assertThat(memory.allocator().inUse(FrameUse.ANONYMOUS)).isZero();
    assertThat(memory.allocator().inUse(FrameUse.TABLE)).isZero();
    assertThat(references(manager.sparsePfn())).isEqualTo(1);
    assertThat(references(manager.zeroPfn())).isEqualTo(1);
    assertThat(manager.badEntries().count())
        .as(manager.badEntries().last())
        .isEqualTo(badEntriesExpected);
    verify();
  }

  @Override
  public void close() {
    try {
      verify();
      manager.spaces().forEach(AddressSpace::close);
      requireBootState();
    } finally {
      try {
        memory.release(region);
        deviceFile.close();
      } catch (HostException e) {
        throw new UncheckedIOException(e);
      } finally {
        memory.close();
      }
    }
  }
}
