package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.file.CachedFile;
import dev.xip.pagetable.EntryLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random histories of guard regions in anonymous memory and in a file through the page cache,
 * across fork, mremap, mprotect, madvise and truncation: an access is refused where a guard was
 * installed and not removed, and nowhere else.
 */
class GuardHistoryTest {
  private static final int STEPS = RandomHistoryTest.STRESS ? 200_000 : 3_000;
  private static final int PAGES = 20;

  /** Anonymous memory, shared anonymous memory, a private and a shared mapping of a file. */
  private static final int KINDS = 4;

  private static final long AT = 0x4000_0000L;
  private static final long AWAY = 0x20_0000_0000L;
  private static final long STRIDE = 0x4000_0000L;

  /** A space and, for each mapping, its guarded pages. */
  private record Guarded(AddressSpace space, BitSet[] guards) {}

  private record Kind(EntryLayout layout, Rules rules) {
    @Override
    public String toString() {
      return layout + (rules.has(Rule.GUARD_FLAG) ? " with the flag" : " without the flag");
    }
  }

  static Stream<Kind> kinds() {
    Rules rules = Era.LINUX_6_19.rules();
    return Era.LINUX_6_19.layouts().stream()
        .flatMap(
            layout ->
                Stream.of(
                    new Kind(layout, rules), new Kind(layout, rules.without(Rule.GUARD_FLAG))));
  }

  private final Random random = new Random(5);
  private TestMachine machine;
  private CachedFile file;

  private static long at(int kind) {
    return AT + kind * STRIDE;
  }

  private static AddrRange pages(int kind, int first, int end) {
    return new AddrRange(at(kind) + first * Pages.SIZE, at(kind) + end * Pages.SIZE);
  }

  private void map(Guarded in, int kind) throws MapException {
    MapRequest anonymous = MapRequest.anonymous(PAGES * Pages.SIZE, Access.READ_WRITE);
    MapRequest request =
        switch (kind) {
          case 0 -> anonymous;
          case 1 -> anonymous.with(MapFlag.SHARED);
          case 2 -> MapRequest.privately(file, Access.READ_WRITE).pages(0, PAGES * Pages.SIZE);
          default -> MapRequest.shared(file, Access.READ_WRITE).pages(0, PAGES * Pages.SIZE);
        };
    in.space().map(request.over(at(kind)));
    in.guards()[kind].clear();
  }

  private static BitSet[] copyOf(BitSet[] guards) {
    return Stream.of(guards).map(each -> (BitSet) each.clone()).toArray(BitSet[]::new);
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void anAccessIsRefusedWhereAGuardIsAndNowhereElse(Kind kind) throws Exception {
    machine = new TestMachine(kind.layout(), FrameStrategy.SPECIAL_BIT, kind.rules());
    file = machine.cached("f", PAGES);
    List<Guarded> spaces = new ArrayList<>();
    Guarded first =
        new Guarded(
            machine.space("first"),
            Stream.generate(BitSet::new).limit(KINDS).toArray(BitSet[]::new));
    for (int i = 0; i < KINDS; i++) {
      map(first, i);
    }
    spaces.add(first);
    for (int step = 0; step < STEPS; step++) {
      step(spaces);
      if (step % 200 == 0) {
        machine.verify();
      }
    }
    machine.verify();
    spaces.forEach(each -> each.space().close());
    file.truncate(0);
    machine.close();
  }

  private void step(List<Guarded> spaces) throws Exception {
    Guarded on = spaces.get(random.nextInt(spaces.size()));
    int kind = random.nextInt(KINDS);
    int first = random.nextInt(PAGES);
    int end = first + 1 + random.nextInt(PAGES - first);
    AddrRange range = pages(kind, first, end);
    switch (random.nextInt(14)) {
      case 0, 1 -> {
        on.space().advise(range, Advice.GUARD_INSTALL);
        on.guards()[kind].set(first, end);
      }
      case 2 -> {
        on.space().advise(range, Advice.GUARD_REMOVE);
        on.guards()[kind].clear(first, end);
      }
      case 3 -> on.space().advise(range, Advice.DONTNEED);
      case 4 -> {
        on.space().protect(range, Access.NONE);
        on.space().protect(range, Access.READ);
        on.space().protect(range, Access.READ_WRITE);
      }
      case 5 -> {
        AddrRange away =
            AddrRange.ofLength(AWAY + random.nextInt(700) * Pages.SIZE, PAGES * Pages.SIZE);
        AddrRange whole = pages(kind, 0, PAGES);
        if (on.space().vmas().stream().anyMatch(vma -> vma.range().equals(whole))) {
          on.space().remap(RemapRequest.to(whole, whole.length(), away.start()));
          on.space().remap(RemapRequest.to(away, whole.length(), whole.start()));
        }
      }
      case 6 -> {
        if (spaces.size() < 5) {
          spaces.add(new Guarded(on.space().fork("child"), copyOf(on.guards())));
        } else {
          spaces.remove(on);
          on.space().close();
        }
      }
      case 7 -> {
        if (random.nextInt(4) == 0) {
          map(on, kind);
        }
      }
      case 8 -> file.punchHole(first, end - first);
      case 9 -> {
        file.truncate(first * Pages.SIZE);
        file.truncate(PAGES * Pages.SIZE);
      }
      case 10 -> on.space().inCore(range);
      case 11 -> {
        try {
          on.space().getUserPages().pin(range.start(), end - first, true, false).close();
        } catch (MapException e) {
          assertThat(on.guards()[kind].get(first)).as(e.getMessage()).isTrue();
        }
      }
      default -> access(on, kind, first, range.start());
    }
  }

  private void access(Guarded on, int kind, int page, long va) throws MemoryFaultException {
    boolean refused = false;
    try {
      if (random.nextBoolean()) {
        new AddressReader(on.space()).getLong(va);
      } else {
        new AddressWriter(on.space()).putLong(va, 1);
      }
    } catch (MemoryFaultException.SegmentationFault e) {
      refused = true;
    }
    assertThat(refused)
        .as("kind %d, page %d of %s", kind, page, on.space().vmas())
        .isEqualTo(on.guards()[kind].get(page));
  }
}
