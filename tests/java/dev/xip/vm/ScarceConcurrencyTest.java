package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.file.CachedFile;
import dev.xip.file.MemoryFile;
import dev.xip.image.PathResolver;
import dev.xip.image.ext.ExtImage;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.NoFrameException;
import dev.xip.pagetable.Arm64Layout;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.S390x2008Layout;
import dev.xip.pagetable.S390xLayout;
import dev.xip.pagetable.X8664Layout;
import dev.xip.pagetable.X8664Of2008Layout;
import dev.xip.phys.RamBanks;
import dev.xip.phys.RegionFrames;
import dev.xip.testing.Images;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Threads that use every kind of memory in two small banks of RAM, so that pages are given up all
 * the time: a page read belongs to its address, or is one of zeros, and nothing is lost.
 */
class ScarceConcurrencyTest {
  private static final int STEPS = RandomHistoryTest.STRESS ? 100_000 : 1_500;
  private static final int PAGES = 48;
  private static final int SPACES = 4;
  private static final int THREADS = 4;
  private static final long STRIDE = 0x100_0000L;
  private static final long AT = 0x4000_0000L;

  /** Files: two of an image, one in RAM, one in place; then anonymous memory. */
  private static final int IMAGE_FILES = 2;

  private static final RamBanks BANKS =
      RamBanks.of(new AddrRange(0, 0x8_0000), new AddrRange(0x20_0000, 0x28_0000));

  private static final int IN_RAM = 2;
  private static final int IN_PLACE = 3;
  private static final int ANONYMOUS = 4;
  private static final int SHARED_ANONYMOUS = 5;

  @TempDir Path folder;
  private final List<Mappable> files = new ArrayList<>();
  private final AtomicReferenceArray<AddressSpace> spaces = new AtomicReferenceArray<>(SPACES);
  private TestMachine machine;

  private static long word(int file, long page) {
    return (long) (file + 1) << 32 | page << 8;
  }

  /** A machine to be made. */
  private record Kind(
      Era era, EntryLayout layout, FrameStrategy strategy, RegionFrames regionFrames) {
    Kind(Era era, EntryLayout layout, FrameStrategy strategy) {
      this(era, layout, strategy, RegionFrames.NONE);
    }

    TestMachine boot() {
      Rules rules = era.rules().with(Rule.SECOND_INSERTER_TOLERATED);
      return regionFrames == RegionFrames.NONE
          ? new TestMachine(layout, strategy, rules, BANKS)
          : new TestMachine(layout, rules, regionFrames);
    }
  }

  static List<Kind> kinds() {
    return List.of(
        new Kind(Era.XIP, X8664Layout.INSTANCE, FrameStrategy.SPECIAL_BIT),
        new Kind(Era.LINUX_6_19, Arm64Layout.INSTANCE, FrameStrategy.SPECIAL_BIT),
        new Kind(Era.LINUX_4_5, S390xLayout.INSTANCE, FrameStrategy.SPECIAL_BIT),
        new Kind(Era.LINUX_2_6_26, S390x2008Layout.INSTANCE, FrameStrategy.SPECIAL_BIT),
        new Kind(Era.LINUX_2_6_24, X8664Of2008Layout.INSTANCE, FrameStrategy.SPARSE),
        new Kind(Era.LINUX_2_6_24, S390x2008Layout.INSTANCE, FrameStrategy.REFCOUNT_PTE_BIT),
        new Kind(Era.LINUX_2_6_24, S390x2008Layout.INSTANCE, FrameStrategy.MEM_SEGS_SPIN_LOCK),
        new Kind(Era.LINUX_2_6_26, X8664Of2008Layout.INSTANCE, FrameStrategy.FLAT_IF_MIXED),
        new Kind(Era.XIP, X8664Layout.INSTANCE, FrameStrategy.SPECIAL_BIT, RegionFrames.DEVMAP),
        new Kind(Era.XIP, X8664Layout.INSTANCE, FrameStrategy.SPECIAL_BIT, RegionFrames.COUNTED));
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void everyPageReadBelongsToItsAddress(Kind kind) throws Exception {
    try (Arena arena = Arena.ofShared()) {
      machine = kind.boot();
      Path tree = Trees.small(folder.resolve("tree"));
      for (int i = 0; i < IMAGE_FILES; i++) {
        Files.write(tree.resolve("file" + i), content(i));
      }
      ExtImage image = Images.open(Images.ext2(tree), arena);
      for (int i = 0; i < IMAGE_FILES; i++) {
        files.add(
            machine.cache.open("file" + i, image, PathResolver.resolve(image, "file" + i, true)));
      }
      CachedFile inRam = machine.cache.create("ram");
      inRam.write(0, MemorySegment.ofArray(content(IN_RAM)).asSlice(0, 8 * Pages.SIZE));
      files.add(inRam);
      MemoryFile inPlace = machine.device.create("in place");
      inPlace.write(0, MemorySegment.ofArray(content(IN_PLACE)));
      files.add(inPlace);
      for (int i = 0; i < SPACES; i++) {
        spaces.set(i, fresh());
      }
      List<Callable<Object>> work = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        Random random = new Random(17 + i);
        work.add(
            () -> {
              for (int step = 0; step < STEPS; step++) {
                step(random);
              }
              return null;
            });
      }
      Threads.together(work);
      machine.verify();
      for (int i = 0; i < SPACES; i++) {
        spaces.get(i).close();
      }
      machine.verify();
      inRam.truncate(0);
      inPlace.truncate(0);
      for (int i = 0; i < IMAGE_FILES; i++) {
        ((CachedFile) files.get(i)).evict();
      }
      assertThat(machine.cache.pages()).isZero();
      machine.close();
    }
  }

  private static byte[] content(int file) {
    MemorySegment words = MemorySegment.ofArray(new byte[PAGES * (int) Pages.SIZE]);
    for (long at = 0; at < words.byteSize(); at += 8) {
      words.set(ValueLayout.JAVA_LONG_UNALIGNED, at, word(file, at >>> Pages.SHIFT));
    }
    return words.toArray(ValueLayout.JAVA_BYTE);
  }

  private AddressSpace fresh() throws MapException {
    AddressSpace space = machine.manager.newAddressSpace("space");
    for (int file = 0; file <= SHARED_ANONYMOUS; file++) {
      map(space, file);
    }
    return space;
  }

  private static long at(int file, boolean shared, long page) {
    return AT + (2L * file + (shared ? 1 : 0)) * STRIDE + page * Pages.SIZE;
  }

  private void map(AddressSpace space, int file) throws MapException {
    if (file >= ANONYMOUS) {
      MapRequest request = MapRequest.anonymous(PAGES * Pages.SIZE, Access.READ_WRITE);
      boolean shared = file == SHARED_ANONYMOUS;
      space.map((shared ? request.with(MapFlag.SHARED) : request).over(at(file, shared, 0)));
      return;
    }
    Mappable mapped = files.get(file);
    space.map(
        MapRequest.privately(mapped, Access.READ_WRITE)
            .pages(0, PAGES * Pages.SIZE)
            .over(at(file, false, 0)));
    Access access = mapped.isWritable() ? Access.READ_WRITE : Access.READ;
    space.map(
        MapRequest.shared(mapped, access).pages(0, PAGES * Pages.SIZE).over(at(file, true, 0)));
  }

  private void step(Random random) throws IOException {
    int index = random.nextInt(SPACES);
    AddressSpace space = spaces.get(index);
    int file = random.nextInt(SHARED_ANONYMOUS + 1);
    boolean shared = file == SHARED_ANONYMOUS || file < ANONYMOUS && random.nextBoolean();
    long page = random.nextInt(PAGES);
    long va = at(file, shared, page);
    int pages = 1 + random.nextInt(4);
    AddrRange range = AddrRange.ofLength(va, Math.min(pages, PAGES - page) * Pages.SIZE);
    boolean ofImage = file < IMAGE_FILES;
    try {
      switch (random.nextInt(24)) {
        case 0, 1, 2, 3, 4, 5 -> read(random, space, va, file, page);
        case 6, 7, 8, 9 -> {
          if (!(ofImage && shared)) {
            new AddressWriter(space).putLong(va + 8 * random.nextInt(512), word(file, page) | 1);
          }
        }
        case 10 -> space.advise(range, Advice.DONTNEED);
        case 11 -> space.advise(range, Advice.WILLNEED);
        case 12 -> {
          if (era6()) {
            space.advise(range, Advice.GUARD_INSTALL);
            space.advise(range, Advice.GUARD_REMOVE);
          }
        }
        case 13 -> space.protect(range, random.nextBoolean() ? Access.READ : Access.READ_WRITE);
        case 14 -> space.inCore(range);
        case 15 -> {
          try (PinnedPages pinned =
              space.getUserPages().pin(va, pages, random.nextBoolean(), random.nextBoolean())) {
            MemorySegment words = MemorySegment.ofArray(new long[512]);
            pinned.read(0, 0, words);
            for (int i = 0; i < 512; i++) {
              require(words.getAtIndex(ValueLayout.JAVA_LONG, i), file, page);
            }
          }
        }
        case 16 -> {
          replace(random, space.fork("child"));
        }
        case 17 -> {
          if (random.nextInt(4) == 0) {
            replace(random, fresh());
          }
        }
        case 18 -> {
          AddrRange whole = AddrRange.ofLength(at(file, shared, 0), PAGES * Pages.SIZE);
          long away = 0x20_0000_0000L + whole.start() + random.nextInt(600) * Pages.SIZE;
          space.remap(RemapRequest.to(whole, whole.length(), away));
          space.remap(
              RemapRequest.to(
                  AddrRange.ofLength(away, whole.length()), whole.length(), whole.start()));
        }
        case 19 -> {
          space.lock(range);
          space.unlock(range);
        }
        case 20 -> map(space, file);
        case 21 -> change(random, file, page);
        case 22 -> {
          DumpPages dump = new DumpPages(space);
          for (Vma vma : space.vmas()) {
            dump.bytesOf(vma, EnumSet.allOf(DumpPages.Kind.class));
          }
          dump.page(va).close();
        }
        default -> {
          if (ofImage) {
            ((CachedFile) files.get(file)).invalidate(page, pages);
          }
        }
      }
    } catch (MemoryFaultException | MapException | NoFrameException e) {
      // RAM is used up, the page was cut off, or another thread has changed the mapping.
    }
  }

  private boolean era6() {
    return machine.manager.rules().has(Rule.GUARD_REGIONS_ANYWHERE);
  }

  private void change(Random random, int file, long page) throws IOException {
    long[] found = new long[512];
    if (file <= IN_RAM) {
      CachedFile on = (CachedFile) files.get(file);
      if (file == IN_RAM && random.nextBoolean()) {
        if (random.nextBoolean()) {
          on.truncate(page * Pages.SIZE);
        } else {
          on.punchHole(page, 3);
        }
      } else {
        on.read(page * Pages.SIZE, MemorySegment.ofArray(found));
      }
    } else if (file == IN_PLACE) {
      MemoryFile on = (MemoryFile) files.get(file);
      if (random.nextBoolean()) {
        on.truncate(random.nextInt(PAGES + 1) * Pages.SIZE);
      } else {
        on.read(page * Pages.SIZE, MemorySegment.ofArray(found));
      }
    }
    for (long each : found) {
      require(each, file, page);
    }
  }

  private void replace(Random random, AddressSpace by) throws MapException {
    spaces.getAndSet(random.nextInt(SPACES), by).close();
  }

  private final ThreadLocal<long[]> buffers = ThreadLocal.withInitial(() -> new long[512]);

  private void read(Random random, AddressSpace space, long va, int file, long page)
      throws MemoryFaultException {
    AddressReader reader = new AddressReader(space);
    for (int i = 0; i < 20; i++) {
      require(reader.getLong(va + 8 * random.nextInt(512)), file, page);
    }
    long[] words = buffers.get();
    reader.copy(va, MemorySegment.ofArray(words), 0, Pages.SIZE);
    for (long each : words) {
      require(each, file, page);
    }
  }

  private static void require(long found, int file, long page) {
    if (found != 0 && (found & ~1) != word(file, page)) {
      throw new AssertionError("page %d of file %d: found 0x%x".formatted(page, file, found));
    }
  }
}
