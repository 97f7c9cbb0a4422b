package dev.xip.pagetable;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Access;
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

/** Tables in a small window of plain native memory. */
class PageTableTest {
  private static final int FRAMES = 512;
  private final Arena arena = Arena.ofConfined();
  private final MemorySegment window = arena.allocate(FRAMES * Pages.SIZE, Pages.SIZE);
  private final Frames frames = new Frames();
  private final EntryLayout layout = X8664Layout.INSTANCE;
  private final PageTable table = PageTable.create(window, layout, frames);
  private final Walk walk = new Walk();

  /** Hands out the frames of the window and notes which are out. */
  private final class Frames implements TableSupply {
    private final ArrayDeque<Long> free = new ArrayDeque<>();
    private final Set<Long> out = new HashSet<>();

    Frames() {
      for (long pfn = 1; pfn < FRAMES; pfn++) {
        free.add(pfn);
      }
    }

    @Override
    public long allocateTable(int pages) {
      assertThat(pages).isEqualTo(1);
      if (free.isEmpty()) {
        return -1;
      }
      long pfn = free.pop();
      window.asSlice(pfn << Pages.SHIFT, Pages.SIZE).fill((byte) 0);
      out.add(pfn);
      return pfn;
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
  void aWalkNamesTheLevelWhereATableIsMissing() {
    assertThat(table.walk(0x1000, walk)).isFalse();
    assertThat(walk.level()).isEqualTo(Level.PGD);
    table.slotOrCreate(0x1000);
    assertThat(table.walk(1L << 21, walk)).isFalse();
    assertThat(walk.level()).isEqualTo(Level.PMD);
  }

  @Test
  void fourLevelsTakeFourTables() {
    table.slotOrCreate(0x1000);
    assertThat(table.countTables()).isEqualTo(4);
    table.slotOrCreate(0x2000);
    assertThat(table.countTables()).isEqualTo(4);
    table.slotOrCreate(layout.addressLimit() - 0x1000);
    assertThat(table.countTables()).isEqualTo(7);
  }

  @Test
  void aHugeLeafEndsTheWalkAboveTheLowestLevel() {
    long slot = table.slotOrCreate(0);
    assertThat(table.walk(0, walk)).isTrue();
    table.walk(1L << 21, walk);
    table.set(walk.slot(), special(1 << 9) | 0x80);
    assertThat(table.walk((1L << 21) + 0x5123, walk)).isTrue();
    assertThat(walk.level()).isEqualTo(Level.PMD);
    assertThat(layout.isSpecial(walk.pte())).isTrue();
    assertThatThrownBy(() -> table.slotOrCreate(1L << 21))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("0x200000");
    assertThat(slot).isNotEqualTo(walk.slot());
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
    long mib2 = 1L << 21;
    table.set(table.slotOrCreate(0), special(1));
    table.slotOrCreate(mib2);
    table.slotOrCreate(2 * mib2);
    table.set(table.slotOrCreate(3 * mib2), special(2));
    List<Long> detached = new ArrayList<>();
    table.detachTables(0x1000, 3 * mib2, detached::add);
    assertThat(detached).hasSize(2);
    assertThat(table.walk(0, walk)).isTrue();
    assertThat(table.walk(3 * mib2, walk)).isTrue();
    assertThat(table.walk(mib2, walk)).isFalse();
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
      long va = ((long) random.nextInt(1 << 13) << 12) + ((long) random.nextInt(3) << 39);
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
}
