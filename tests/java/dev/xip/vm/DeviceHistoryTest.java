package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.mapping.DeviceMemory;
import dev.xip.mapping.Mapper;
import dev.xip.mapping.PageRun;
import dev.xip.pagetable.EntryLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random histories of device memory mapped by page frame number, privately and shared, entered at
 * once and by faults: no schedule of stores, fork, mremap, mprotect and unmappings by the device
 * leaves a count that is wrong.
 */
class DeviceHistoryTest {
  private static final int ROUNDS = RandomHistoryTest.STRESS ? 100 : 1;
  private static final int PAGES = 12;
  private static final long PFN = (TestMachine.DEVICE >>> Pages.SHIFT) + 512;
  private static final long AT = 0x4000_0000L;

  record Kind(Era era, EntryLayout layout, FrameStrategy strategy) {}

  static Stream<Kind> kinds() {
    return Stream.of(Era.values())
        .flatMap(
            era ->
                era.layouts().stream()
                    .flatMap(
                        layout ->
                            era.strategies(layout).stream()
                                .filter(each -> each.outcome() == FrameStrategy.Outcome.WORKS)
                                .map(strategy -> new Kind(era, layout, strategy))));
  }

  private static final class Device implements DeviceMemory {
    final List<Mapper> mappers = new ArrayList<>();
    final boolean atOnce;
    long pages = PAGES;

    Device(boolean atOnce) {
      this.atOnce = atOnce;
    }

    @Override
    public String name() {
      return "dev";
    }

    @Override
    public boolean isWritable() {
      return true;
    }

    @Override
    public boolean isEnteredAtOnce() {
      return atOnce;
    }

    @Override
    public long size() {
      return pages * Pages.SIZE;
    }

    @Override
    public PageRun translate(long page) {
      return new PageRun(PFN + page, PAGES - page);
    }

    @Override
    public void attach(Mapper m) {
      mappers.add(m);
    }

    @Override
    public void detach(Mapper m) {
      mappers.remove(m);
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void everyCountAgreesWithTheEntries(Kind kind) throws Exception {
    Random random = new Random(3);
    for (int round = 0; round < ROUNDS; round++) {
      try (TestMachine machine =
          new TestMachine(kind.layout(), kind.strategy(), kind.era().rules())) {
        Device once = new Device(true);
        Device later = new Device(false);
        List<AddressSpace> spaces = new ArrayList<>();
        AddressSpace first = machine.space("first");
        first.map(
            MapRequest.privately(once, Access.READ_WRITE).pages(0, PAGES * Pages.SIZE).at(AT));
        first.map(
            MapRequest.shared(once, Access.READ_WRITE)
                .pages(0, PAGES * Pages.SIZE)
                .at(AT + (1 << 24)));
        first.map(
            MapRequest.shared(later, Access.READ_WRITE)
                .pages(0, PAGES * Pages.SIZE)
                .at(AT + (2 << 24)));
        spaces.add(first);
        for (int step = 0; step < 120; step++) {
          AddressSpace on = spaces.get(random.nextInt(spaces.size()));
          int which = random.nextInt(3);
          int page = random.nextInt(PAGES);
          int end = page + 1 + random.nextInt(PAGES - page);
          long va = AT + ((long) which << 24) + page * Pages.SIZE;
          AddrRange range = AddrRange.ofLength(va, (end - page) * Pages.SIZE);
          try {
            switch (random.nextInt(14)) {
              case 0, 1 -> new AddressReader(on).getLong(va);
              case 2, 3, 4 -> new AddressWriter(on).putLong(va, step);
              case 5 -> {
                if (spaces.size() < 6) {
                  spaces.add(on.fork("child"));
                } else {
                  spaces.remove(on);
                  on.close();
                }
              }
              case 6 -> on.protect(range, random.nextBoolean() ? Access.READ : Access.NONE);
              case 7 -> on.protect(range, Access.READ_WRITE);
              case 8 -> {
                long away = 0x20_0000_0000L + random.nextInt(600) * Pages.SIZE;
                AddrRange now = on.remap(RemapRequest.to(range, range.length(), away));
                on.remap(RemapRequest.to(now, now.length(), va));
              }
              case 9 -> {
                Device d = which == 2 ? later : once;
                for (Mapper m : List.copyOf(d.mappers)) {
                  m.unmap(page, end - page, random.nextBoolean());
                }
              }
              case 10 -> on.unmap(range);
              case 11 -> on.getUserPages().followPfn(va);
              case 12 -> {
                try (FollowedPfn f = on.followPfnMap(va)) {
                  f.pfn();
                }
              }
              default -> {
                DumpPages d = new DumpPages(on);
                d.page(va).close();
                on.inCore(range);
                on.advise(range, random.nextBoolean() ? Advice.DODUMP : Advice.DONTFORK);
              }
            }
          } catch (MemoryFaultException | MapException e) {
            // The place is unmapped or protected, or the device has taken the page back.
          }
          if (step % 10 == 0) {
            machine.verify();
          }
        }
        assertThat(machine.manager.badEntries().count()).isZero();
      }
    }
  }
}
