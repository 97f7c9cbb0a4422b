package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.file.CachedFile;
import dev.xip.file.MemoryFile;
import dev.xip.mapping.NoFrameException;
import dev.xip.mapping.PhysicalRange;
import dev.xip.pagetable.EntryLayout;
import dev.xip.phys.FrameUse;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * One history with every kind of memory, with each number of free frames from none on: whichever
 * allocation fails, nothing is lost.
 */
class ScarceRamTest {
  private static final long AT = 0x4000_0000L;
  private static final long FAR = 0x20_0000_0000L;
  private static final int PAGES = 6;

  /** Calls that failed for want of RAM. */
  private int failed;

  private record Kind(Era era, EntryLayout layout, FrameStrategy strategy) {}

  static Stream<Kind> kinds() {
    return Stream.of(Era.values())
        .flatMap(
            era ->
                era.layouts().stream()
                    .map(layout -> new Kind(era, layout, era.defaultStrategy(layout))));
  }

  private interface Call {
    void run() throws Exception;
  }

  /** Makes a call that may fail because RAM is used up, and in no other way. */
  private void may(Call call) {
    try {
      call.run();
    } catch (MapException e) {
      assertThat(e.errno())
          .as(e.getMessage())
          .isIn(Errno.ENOMEM, Errno.EAGAIN, Errno.EFAULT, Errno.EINVAL);
    } catch (MemoryFaultException.OutOfMemory | NoFrameException e) {
      failed++;
    } catch (MemoryFaultException.SegmentationFault | MemoryFaultException.BusError e) {
      // A page behind the end of the file, a guard region, or a call before that failed.
      return;
    } catch (Exception e) {
      throw new AssertionError("expected an error of the memory manager", e);
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void noFrameIsLostWhateverAllocationFails(Kind kind) throws Exception {
    int free = 0;
    do {
      failed = 0;
      try (TestMachine machine =
          new TestMachine(kind.layout(), kind.strategy(), kind.era().rules())) {
        List<Long> taken = new ArrayList<>();
        while (machine.memory.allocator().available() > free) {
          taken.add(machine.memory.allocator().allocate(FrameUse.ZERO));
        }
        history(machine);
        machine.verify();
        machine.manager.spaces().forEach(AddressSpace::close);
        machine.verify();
        assertThat(machine.cache.pages()).isZero();
        assertThat(machine.memory.allocator().available()).isEqualTo(free);
        taken.forEach(machine.memory.allocator()::put);
      }
      free += RandomHistoryTest.STRESS ? 1 : 3;
    } while (free < 128);
    assertThat(failed).isZero();
  }

  private void history(TestMachine machine) throws Exception {
    CachedFile cached = machine.cache.create("cached");
    MemoryFile inPlace = machine.file("in place", PAGES);
    PhysicalRange device =
        new PhysicalRange(
            "device",
            AddrRange.ofLength(TestMachine.DEVICE + (2L << 20), PAGES * Pages.SIZE),
            true,
            true);
    may(() -> cached.write(0, MemorySegment.ofArray(new long[(int) (PAGES * Pages.SIZE / 8)])));
    may(
        () -> {
          try (AddressSpace space = machine.manager.newAddressSpace("parent")) {
            use(machine, space, cached, inPlace, device);
          }
        });
    cached.truncate(0);
    inPlace.truncate(0);
  }

  private void use(
      TestMachine machine,
      AddressSpace space,
      CachedFile cached,
      MemoryFile inPlace,
      PhysicalRange device)
      throws Exception {
    long step = 0x1000_0000L;
    may(() -> space.map(MapRequest.privately(cached, Access.READ_WRITE).at(AT)));
    may(() -> space.map(MapRequest.shared(cached, Access.READ_WRITE).at(AT + step)));
    may(() -> space.map(MapRequest.privately(inPlace, Access.READ_WRITE).at(AT + 2 * step)));
    may(() -> space.map(MapRequest.shared(device, Access.READ_WRITE).at(AT + 3 * step)));
    may(() -> space.map(MapRequest.privately(device, Access.READ_WRITE).at(AT + 4 * step)));
    MapRequest anonymous = MapRequest.anonymous(PAGES * Pages.SIZE, Access.READ_WRITE);
    may(() -> space.map(anonymous.at(AT + 5 * step)));
    may(() -> space.map(anonymous.at(AT + 6 * step).with(MapFlag.SHARED)));
    touch(space, step, 0, 7);
    AddressSpace[] child = new AddressSpace[1];
    may(() -> child[0] = space.fork("child"));
    for (int i = 0; i < 7; i++) {
      AddrRange range = AddrRange.ofLength(AT + i * step, 2 * Pages.SIZE);
      may(() -> space.advise(range, Advice.GUARD_INSTALL));
      may(() -> space.advise(range, Advice.DONTNEED));
      may(() -> space.lock(AddrRange.ofLength(range.start() + 2 * Pages.SIZE, 2 * Pages.SIZE)));
      may(() -> space.getUserPages().pin(range.start() + 2 * Pages.SIZE, 3, true, true).close());
      may(
          () ->
              space.remap(
                  RemapRequest.to(
                      new AddrRange(range.start(), range.start() + PAGES * Pages.SIZE),
                      PAGES * Pages.SIZE,
                      FAR + range.start())));
    }
    may(() -> cached.punchHole(1, 2));
    if (child[0] != null) {
      touch(child[0], step, 1, 7);
    }
    machine.verify();
    may(() -> cached.truncate(2 * Pages.SIZE));
    may(() -> dump(space));
    if (child[0] != null) {
      touch(child[0], step, 0, 7);
      may(() -> dump(child[0]));
      machine.verify();
      child[0].close();
    }
    touch(space, step, 0, 7);
  }

  private static void dump(AddressSpace space) throws IOException {
    DumpPages pages = new DumpPages(space);
    for (Vma vma : space.vmas()) {
      long bytes = pages.bytesOf(vma, EnumSet.allOf(DumpPages.Kind.class));
      for (long done = 0; done < bytes; done += Pages.SIZE) {
        pages.page(vma.range().start() + done).close();
      }
    }
  }

  private void touch(AddressSpace space, long step, int from, int mappings) {
    for (int i = 0; i < mappings; i++) {
      for (long page = from; page < PAGES; page++) {
        long va = AT + i * step + page * Pages.SIZE;
        may(() -> new AddressReader(space).getLong(va));
        if (page % 2 == 0) {
          may(() -> new AddressWriter(space).putLong(va + 8, va));
        }
      }
    }
  }
}
