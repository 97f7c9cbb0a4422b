package dev.xip.pagetable;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.host.HostException;
import dev.xip.host.Libxip;
import dev.xip.host.TablePages;
import dev.xip.host.WalkResult;
import dev.xip.host.WalkResult.State;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Random tables, written in one language and read in the other, for every layout. */
class NativeTablesTest {
  static final List<EntryLayout> LAYOUTS = Layouts.ALL;
  private static final int FRAMES = 4096;
  private static final int ENTRIES = 2_000;
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());

  /** An entry as seen by either language. */
  private record Seen(
      long va, long pte, long pfn, int level, boolean valid, boolean special, int shift) {}

  private record Place(Level level, long pte) {}

  /** Contiguous frames, zeroed as in a fresh arena; none is freed. */
  private static final class Frames implements TableSupply {
    private long next;

    @Override
    public long allocateTable(int pages) {
      long pfn = next;
      next += pages;
      return next <= FRAMES ? pfn : -1;
    }

    @Override
    public long allocateTableToFill() {
      return allocateTable(1);
    }

    @Override
    public void freeTable(long pfn) {
      throw new AssertionError("no race, so no table is given back");
    }
  }

  private static Access rights(Random random) {
    return BitAlgebra.RIGHTS.get(random.nextInt(BitAlgebra.RIGHTS.size()));
  }

  private static long smallLeaf(EntryLayout layout, Random random) {
    long pte = layout.leaf(random.nextLong(1L << 36), rights(random));
    pte = random.nextBoolean() ? layout.withSpecial(pte) : pte;
    pte = random.nextBoolean() ? layout.withDirty(pte) : pte;
    pte = random.nextInt(4) == 0 ? layout.withOld(pte) : pte;
    return random.nextInt(4) == 0 ? layout.withoutWrite(pte) : pte;
  }

  /** Entries by address: small ones in a few clusters, huge ones where no small one is near. */
  private static TreeMap<Long, Place> randomEntries(EntryLayout layout, Random random) {
    TreeMap<Long, Place> entries = new TreeMap<>();
    int pgd = layout.shift(Level.PGD);
    long roots = layout.addressLimit() >>> pgd;
    long[] clusters = new long[8];
    for (int i = 0; i < clusters.length; i++) {
      clusters[i] = random.nextLong(roots) << pgd;
    }
    for (int i = 0; i < ENTRIES; i++) {
      long cluster = clusters[random.nextInt(clusters.length)];
      long va = cluster + ((long) random.nextInt(1 << 12) << Pages.SHIFT);
      entries.put(va, new Place(Level.PTE, smallLeaf(layout, random)));
    }
    for (Level level = Level.PMD;
        layout.hasLeaves(level);
        level = Level.values()[level.ordinal() + 1]) {
      int shift = layout.shift(level);
      for (long cluster : clusters) {
        // The small entries of a cluster lie in its first 16 MiB, the huge ones of a level in the
        // second half of the table that begins with the cluster.
        long va = cluster + ((layout.entriesPerTable(level) / 2 + random.nextLong(64)) << shift);
        long pfn = random.nextLong(1L << 10) << (shift - Pages.SHIFT);
        long pte = layout.hugeLeaf(pfn, rights(random), level);
        pte = random.nextBoolean() ? layout.withSpecial(pte, level) : pte;
        entries.put(va, new Place(level, pte));
      }
    }
    return entries;
  }

  private static List<Seen> expected(EntryLayout layout, TreeMap<Long, Place> entries) {
    List<Seen> seen = new ArrayList<>();
    entries.forEach((va, place) -> seen.add(seen(layout, va, place.level, place.pte)));
    return seen;
  }

  private static Seen seen(EntryLayout layout, long va, Level level, long pte) {
    return new Seen(
        va,
        pte,
        layout.pfn(pte, level),
        level.ordinal(),
        layout.isValid(pte, level),
        layout.isSpecial(pte, level),
        layout.shift(level));
  }

  private static List<Seen> seenByC(MemorySegment window, PageTable table) {
    EntryLayout layout = table.layout();
    AddrRange all = new AddrRange(0, layout.addressLimit());
    List<Seen> seen = new ArrayList<>();
    for (WalkResult c : Libxip.get().dump(window, layout.abiNumber(), table.root(), all)) {
      assertThat(c.state()).as("%s", c).isIn(State.PRESENT, State.PROT_NONE);
      seen.add(
          new Seen(
              c.va(),
              c.pte(),
              c.pa() >>> Pages.SHIFT,
              c.level(),
              c.state() == State.PRESENT,
              c.special(),
              c.pageShift()));
    }
    return seen;
  }

  private static List<Seen> seenByJava(PageTable table) {
    EntryLayout layout = table.layout();
    List<Seen> seen = new ArrayList<>();
    table.forEach(
        0, layout.addressLimit(), (va, level, slot, pte) -> seen.add(seen(layout, va, level, pte)));
    return seen;
  }

  /** Stores an entry with Java, at any level. */
  private static void store(PageTable table, Walk walk, long va, Place place) {
    if (place.level == Level.PTE) {
      table.set(table.slotOrCreate(va), place.pte);
      return;
    }
    // A small page beside the huge one makes the tables above both.
    table.slotOrCreate(va - (1L << table.layout().shift(place.level)));
    table.walk(va, walk);
    assertThat(walk.level()).isEqualTo(place.level);
    table.set(walk.slot(), place.pte);
  }

  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void cSeesTheTablesThatJavaWrote(EntryLayout layout) {
    TreeMap<Long, Place> entries = randomEntries(layout, new Random(SEED));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment window = arena.allocate(FRAMES * Pages.SIZE, Pages.SIZE);
      PageTable table = PageTable.create(window, layout, new Frames());
      Walk walk = new Walk();
      entries.forEach((va, place) -> store(table, walk, va, place));
      assertThat(seenByC(window, table))
          .as("-Dxip.seed=%d", SEED)
          .isEqualTo(expected(layout, entries));
      assertThat(seenByJava(table)).isEqualTo(expected(layout, entries));
    }
  }

  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void javaSeesTheTablesThatCWrote(EntryLayout layout) throws IOException {
    TreeMap<Long, Place> entries = randomEntries(layout, new Random(SEED));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment window = arena.allocate(FRAMES * Pages.SIZE, Pages.SIZE);
      PageTable table = PageTable.create(window, layout, new Frames());
      write(window, table, entries);
      assertThat(seenByJava(table))
          .as("-Dxip.seed=%d", SEED)
          .isEqualTo(expected(layout, entries))
          .isEqualTo(seenByC(window, table));
    }
  }

  private static void write(MemorySegment window, PageTable table, TreeMap<Long, Place> entries)
      throws HostException {
    int layout = table.layout().abiNumber();
    TablePages supply = new TablePages(table.layout().tablePages(Level.PGD), FRAMES);
    for (var entry : entries.entrySet()) {
      Place place = entry.getValue();
      Libxip.get()
          .set(
              window,
              layout,
              table.root(),
              entry.getKey(),
              place.pte,
              place.level.ordinal(),
              supply);
    }
  }
}
