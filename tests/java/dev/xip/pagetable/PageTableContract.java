package dev.xip.pagetable;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The properties of the tables of every architecture, in a small window of plain native memory. */
abstract class PageTableContract {
  private static final int FRAMES = 2048;
  private static final int LARGEST = 4;
  private final Arena arena = Arena.ofConfined();
  private final MemorySegment window = arena.allocate(FRAMES * Pages.SIZE, Pages.SIZE);
  private final Frames frames = new Frames();
  private final EntryLayout layout;
  private final PageTable table;
  private final Walk walk = new Walk();

  PageTableContract(EntryLayout layout) {
    this.layout = layout;
    this.table = PageTable.create(window, layout, frames);
  }

  /** Allocates runs of the window, all of the largest size, and records them. */
  private final class Frames implements TableSupply {
    private final ArrayDeque<Long> free = new ArrayDeque<>();
    private final Set<Long> out = new HashSet<>();

    Frames() {
      for (long pfn = LARGEST; pfn < FRAMES; pfn += LARGEST) {
        free.add(pfn);
      }
    }

    @Override
    public long allocateTable(int pages) {
      assertThat(pages).isBetween(1, LARGEST);
      if (free.isEmpty()) {
        return -1;
      }
      long pfn = free.pop();
      window.asSlice(pfn << Pages.SHIFT, pages * Pages.SIZE).fill((byte) 0);
      out.add(pfn);
      return pfn;
    }

    @Override
    public long allocateTableToFill() {
      return allocateTable(1);
    }

    @Override
    public void freeTable(long pfn) {
      assertThat(out.remove(pfn)).isTrue();
      free.push(pfn);
    }
  }

  @AfterEach
  void closeArena() {
    arena.close();
  }

  private long special(long pfn) {
    return layout.withSpecial(layout.leaf(pfn, Access.READ));
  }

  @Test
  void anEntryIsFoundWhereItWasSet() {
    long slot = table.slotOrCreate(0x7f12_3456_7000L);
    table.set(slot, special(42));
    assertThat(table.walk(0x7f12_3456_7fffL, walk)).isTrue();
    assertThat(walk.slot()).isEqualTo(slot);
    assertThat(walk.pte()).isEqualTo(special(42));
    assertThat(walk.level()).isEqualTo(Level.PTE);
  }

  @Test
  void aNewTableIsEmptyAtEveryLevel() {
    assertThat(table.walk(0x1000, walk)).isFalse();
    assertThat(walk.pte()).isEqualTo(layout.empty(Level.PGD));
    table.slotOrCreate(0x1000);
    for (int i = 0; i < layout.entriesPerTable(Level.PTE); i++) {
      assertThat(table.walk((long) i << Pages.SHIFT, walk)).isTrue();
      assertThat(walk.pte()).isEqualTo(layout.empty());
    }
    List<Long> seen = new ArrayList<>();
    table.forEach(0, layout.addressLimit(), (va, level, slot, pte) -> seen.add(va));
    assertThat(seen).isEmpty();
  }

  @Test
  void aWalkNamesTheLevelWhereATableIsMissing() {
    assertThat(table.walk(0x1000, walk)).isFalse();
    assertThat(walk.level()).isEqualTo(Level.PGD);
    table.slotOrCreate(0x1000);
    assertThat(table.walk(1L << layout.shift(Level.PMD), walk)).isFalse();
    assertThat(walk.level()).isEqualTo(Level.PMD);
  }

  @Test
  void eachLevelTakesTheFramesOfItsTable() {
    int below = layout.tablePages(Level.PTE);
    int all = below;
    for (Level level = Level.PGD; level != Level.PTE; level = level.below()) {
      all += layout.tablePages(level);
    }
    table.slotOrCreate(0x1000);
    assertThat(table.countTables()).isEqualTo(all);
    table.slotOrCreate(0x2000);
    assertThat(table.countTables()).isEqualTo(all);
    table.slotOrCreate(1L << layout.shift(Level.PMD));
    assertThat(table.countTables()).isEqualTo(all + below);
    table.slotOrCreate(layout.addressLimit() - 0x1000);
    assertThat(table.countTables()).isEqualTo(2L * all + below - layout.tablePages(Level.PGD));
  }

  @Test
  void aHugeLeafEndsTheWalkAboveTheLowestLevel() {
    long bytes = 1L << layout.shift(Level.PMD);
    table.slotOrCreate(0);
    table.walk(bytes, walk);
    long leaf =
        layout.withSpecial(
            layout.hugeLeaf(bytes >>> Pages.SHIFT, Access.READ, Level.PMD), Level.PMD);
    table.set(walk.slot(), leaf);
    assertThat(table.walk(bytes + 0x5123, walk)).isTrue();
    assertThat(walk.level()).isEqualTo(Level.PMD);
    assertThat(layout.isSpecial(walk.pte(), walk.level()))
        .isEqualTo(layout.hasSpecialBit(Level.PMD));
    assertThat(table.slotOrCreate(bytes)).isEqualTo(PageTable.HUGE);
    assertThat(table.slotOrCreate(bytes, Level.PMD)).isEqualTo(walk.slot());
    Map<Long, Level> seen = new HashMap<>();
    table.forEach(0, layout.addressLimit(), (va, level, slot, pte) -> seen.put(va, level));
    assertThat(seen).isEqualTo(Map.of(bytes, Level.PMD));
  }

  @Test
  void aDamagedUpperEntryIsNoTable() {
    table.slotOrCreate(0);
    table.walk(1L << layout.shift(Level.PMD), walk);
    table.set(walk.slot(), layout.table(1, Level.PMD) ^ 1 ^ layout.empty(Level.PMD));
    assertThat(table.walk(1L << layout.shift(Level.PMD), walk)).isFalse();
    assertThatThrownBy(() -> table.slotOrCreate(1L << layout.shift(Level.PMD)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("bad entry");
  }

  @Test
  void noFrameForATableIsReported() {
    List<Long> hoard = new ArrayList<>();
    for (long pfn = frames.allocateTable(1); pfn >= 0; pfn = frames.allocateTable(1)) {
      hoard.add(pfn);
    }
    assertThat(table.slotOrCreate(0x1000)).isEqualTo(PageTable.NO_SLOT);
    hoard.forEach(frames::freeTable);
    assertThat(table.slotOrCreate(0x1000)).isNotEqualTo(PageTable.NO_SLOT);
  }

  @Test
  void detachingTakesOutOnlyTablesThatLieWhollyInTheGap() {
    long span = 1L << layout.shift(Level.PMD);
    table.set(table.slotOrCreate(0), special(1));
    table.slotOrCreate(span);
    table.slotOrCreate(2 * span);
    table.set(table.slotOrCreate(3 * span), special(2));
    List<Long> detached = new ArrayList<>();
    AddrRange gap = new AddrRange(0x1000, 3 * span);
    table.detachTables(gap, gap, detached::add);
    assertThat(detached).hasSize(2);
    assertThat(table.walk(0, walk)).isTrue();
    assertThat(table.walk(3 * span, walk)).isTrue();
    assertThat(table.walk(span, walk)).isFalse();
  }

  /** Both use the table of PMDs, so it is detached with the last one, after the tables below it. */
  @Test
  void oneMappingsTablesAreDetachedAfterTheOthersWithoutLosingAny() {
    long span = 1L << layout.shift(Level.PMD);
    for (long va = 0; va < 6 * span; va += span) {
      table.slotOrCreate(va);
    }
    List<Long> detached = new ArrayList<>();
    AddrRange low = new AddrRange(0x1000, 2 * span + 0x1000);
    AddrRange high = new AddrRange(2 * span + 0x3000, 6 * span);
    table.detachTables(low, new AddrRange(0, high.start()), detached::add);
    assertThat(detached).hasSize(2);
    table.detachTables(high, new AddrRange(0, layout.addressLimit()), detached::add);
    detached.forEach(frames::freeTable);
    assertThat(table.countTables()).isEqualTo(layout.tablePages(layout.top()));
    assertThat(frames.out).containsExactly(table.root());
  }

  @Test
  void aFilledTableIsLinkedIntoAnEmptySlot() {
    long span = 1L << layout.shift(Level.PMD);
    long pmd = table.slotOrCreate(span, Level.PMD);
    long pfn = frames.allocateTableToFill();
    table.set((pfn << Pages.SHIFT) + 8, special(7));
    table.link(pmd, pfn);
    assertThat(table.walk(span + Pages.SIZE, walk)).isTrue();
    assertThat(walk.pte()).isEqualTo(special(7));
    assertThatThrownBy(() -> table.link(pmd, frames.allocateTableToFill()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("expected an empty one");
    assertThat(table.slotOrCreate(span)).isEqualTo(pfn << Pages.SHIFT);
  }

  @Test
  void aTableIsDetachedWithItsEntries() {
    long slot = table.slotOrCreate(0);
    table.set(slot, special(7));
    table.walk(0, walk);
    assertThat(table.detach(walk.pmd())).isEqualTo(slot >>> Pages.SHIFT);
    assertThat(table.get(slot)).isEqualTo(special(7));
    assertThat(table.walk(0, walk)).isFalse();
    assertThat(walk.level()).isEqualTo(Level.PMD);
  }

  @Test
  void walkingOnEndsWhereAWalkFromTheRootDoes() {
    long seed = Long.getLong("xip.seed", System.nanoTime());
    Random random = new Random(seed);
    long[] spans = {
      Pages.SIZE,
      1L << layout.shift(Level.PMD),
      1L << layout.shift(Level.PUD),
      1L << layout.shift(Level.PGD)
    };
    for (long span : spans) {
      for (int i = 0; i < 20; i++) {
        table.set(table.slotOrCreate(random.nextInt(4) * span + Pages.SIZE), special(i));
      }
    }
    Walk on = new Walk();
    for (int i = 0; i < 10_000; i++) {
      long va = random.nextInt(5) * spans[random.nextInt(4)] + random.nextInt(3) * Pages.SIZE;
      assertThat(table.walkOn(va, on)).as("-Dxip.seed=%d", seed).isEqualTo(table.walk(va, walk));
      assertThat(on).usingRecursiveComparison().as("-Dxip.seed=%d", seed).isEqualTo(walk);
    }
  }

  @Test
  void freeingGivesEveryTableBack() {
    for (long va = 0; va < layout.addressLimit(); va += layout.addressLimit() / 16) {
      table.slotOrCreate(va);
    }
    table.free();
    assertThat(frames.out).isEmpty();
  }

  @Test
  void randomEntriesReadBackAsAMapDoes() {
    long seed = Long.getLong("xip.seed", System.nanoTime());
    Random random = new Random(seed);
    Map<Long, Long> model = new HashMap<>();
    for (int step = 0; step < 20_000; step++) {
      long va =
          ((long) random.nextInt(1 << 13) << 12)
              + ((long) random.nextInt(3) << layout.shift(Level.PGD));
      if (random.nextInt(4) == 0) {
        if (table.walk(va, walk)) {
          table.set(walk.slot(), layout.empty());
        }
        model.remove(va);
      } else {
        long pte = special(random.nextInt(1 << 28));
        table.set(table.slotOrCreate(va), pte);
        model.put(va, pte);
      }
    }
    Map<Long, Long> seen = new HashMap<>();
    table.forEach(0, layout.addressLimit(), (va, level, slot, pte) -> seen.put(va, pte));
    assertThat(seen).as("-Dxip.seed=%d", seed).isEqualTo(model);
  }

  @Test
  void noEntryIsLookedForPastTheLastAddress() {
    for (long end : new long[] {layout.addressLimit() + 1, Long.MAX_VALUE}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> table.forEach(0, end, (va, level, slot, pte) -> {}));
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> table.forEach(-4096, 0, (va, level, slot, pte) -> {}));
  }
}
