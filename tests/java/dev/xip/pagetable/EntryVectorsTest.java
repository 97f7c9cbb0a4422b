package dev.xip.pagetable;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import dev.xip.host.Libxip;
import dev.xip.host.TablePages;
import dev.xip.host.WalkResult;
import dev.xip.host.WalkResult.State;
import dev.xip.testing.RulesTable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongUnaryOperator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** The entries of every layout in every state, against the table in rules.md, Test vectors. */
class EntryVectorsTest {
  static final List<EntryLayout> LAYOUTS = Layouts.ALL;

  private static final long PFN = EntryLayoutContract.PFN;
  private static final int FRAMES = 64;

  private static final Map<String, Access> RIGHTS =
      Map.of(
          "no access", Access.NONE,
          "read", Access.READ,
          "read and execute", Access.READ_EXECUTE,
          "read and write", Access.READ_WRITE,
          "all rights", new Access(true, true, true));

  /** An entry of a level; that of an empty slot is not a leaf. */
  private record Vector(String state, Level level, boolean leaf, long pte) {}

  /** The entries of a layout in the table, by state; states that it does not have are left out. */
  private static Map<String, Long> told(EntryLayout layout) throws IOException {
    List<List<String>> rows = RulesTable.under("### Test vectors");
    int column = rows.getFirst().indexOf(layout.name());
    assertThat(column).as("a column of %s in the rule book", layout).isPositive();
    Map<String, Long> told = new LinkedHashMap<>();
    for (List<String> row : rows.subList(2, rows.size())) {
      if (!row.get(column).equals("-")) {
        told.put(row.getFirst(), Long.parseUnsignedLong(row.get(column), 16));
      }
    }
    return told;
  }

  private static List<Vector> made(EntryLayout layout) {
    List<Vector> made = new ArrayList<>();
    small(made, "", pte -> pte, layout);
    long read = layout.leaf(PFN, Access.READ);
    boolean ages = layout.isYoung(read);
    if (ages) {
      made.add(leaf("read, old", layout.withOld(read)));
    }
    long dirty = layout.withDirty(layout.leaf(PFN, Access.READ_WRITE));
    String stored = "read and write, dirty";
    made.add(leaf(stored, dirty));
    made.add(leaf(stored + ", write-protected", layout.withoutWrite(dirty)));
    made.add(leaf(stored + ", changed to no access", layout.modify(dirty, Access.NONE)));
    if (layout.hasSpecialBit()) {
      small(made, "special, ", layout::withSpecial, layout);
      special(made, layout.withSpecial(read), ages, layout);
    }
    for (Level level : List.of(Level.PMD, Level.PUD)) {
      huge(made, level, layout);
    }
    made.add(new Vector("empty", Level.PTE, false, layout.empty()));
    for (Level level : List.of(Level.PMD, Level.PUD, Level.PGD)) {
      made.add(new Vector(level + " table", level, false, layout.table(PFN, level)));
      made.add(new Vector(level + " empty", level, false, layout.empty(level)));
    }
    return made;
  }

  private static Vector leaf(String state, long pte) {
    return new Vector(state, Level.PTE, true, pte);
  }

  private static void small(
      List<Vector> made, String kind, LongUnaryOperator change, EntryLayout layout) {
    RIGHTS.forEach(
        (name, access) ->
            made.add(leaf(kind + name, change.applyAsLong(layout.leaf(PFN, access)))));
  }

  private static void special(List<Vector> made, long read, boolean ages, EntryLayout layout) {
    String name = "special, read";
    if (ages) {
      made.add(leaf(name + ", old", layout.withOld(read)));
    }
    long stored = layout.withWrite(layout.withDirty(layout.withYoung(read)));
    made.add(leaf(name + ", stored to", stored));
    made.add(leaf(name + ", stored to, clean", layout.withClean(stored)));
    made.add(leaf(name + ", stored to, write-protected", layout.withoutWrite(stored)));
    made.add(
        leaf(name + ", changed to read and execute", layout.modify(read, Access.READ_EXECUTE)));
  }

  private static void huge(List<Vector> made, Level level, EntryLayout layout) {
    if (!layout.hasLeaves(level)) {
      return;
    }
    RIGHTS.forEach(
        (name, access) ->
            made.add(
                new Vector(
                    level + " leaf, " + name, level, true, layout.hugeLeaf(PFN, access, level))));
    if (layout.hasSpecialBit(level)) {
      long special = layout.withSpecial(layout.hugeLeaf(PFN, Access.READ, level), level);
      made.add(new Vector(level + " leaf, special, read", level, true, special));
    }
  }

  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void javaMakesTheEntriesThatTheRulesTell(EntryLayout layout) throws IOException {
    Map<String, String> made = new LinkedHashMap<>();
    made(layout).forEach(vector -> made.put(vector.state, Long.toHexString(vector.pte)));
    Map<String, String> told = new LinkedHashMap<>();
    told(layout).forEach((state, pte) -> told.put(state, Long.toHexString(pte)));
    assertThat(made).containsExactlyInAnyOrderEntriesOf(told);
  }

  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void cReadsThemAsJavaDoes(EntryLayout layout) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      for (Vector vector : made(layout)) {
        if (vector.leaf) {
          long va = 1L << layout.shift(Level.PUD);
          WalkResult read = readByC(arena, layout, va, vector);
          boolean valid = layout.isValid(vector.pte, vector.level);
          assertThat(read)
              .as(vector.state)
              .isEqualTo(
                  new WalkResult(
                      va,
                      vector.pte,
                      PFN << Pages.SHIFT,
                      vector.level.ordinal(),
                      valid ? State.PRESENT : State.PROT_NONE,
                      layout.isSpecial(vector.pte, vector.level),
                      layout.shift(vector.level)));
        }
      }
    }
  }

  /** C makes the tables as well, the root filled by Java. */
  private static WalkResult readByC(Arena arena, EntryLayout layout, long va, Vector vector)
      throws IOException {
    MemorySegment window = arena.allocate(FRAMES * Pages.SIZE, Pages.SIZE);
    int rootPages = layout.tablePages(layout.top());
    PageTable table =
        PageTable.create(
            window,
            layout,
            new TableSupply() {
              @Override
              public long allocateTable(int pages) {
                return 0;
              }

              @Override
              public long allocateTableToFill() {
                return 0;
              }

              @Override
              public void freeTable(long pfn) {
                throw new AssertionError("no table is given back");
              }
            });
    Libxip c = Libxip.get();
    c.set(
        window,
        layout.abiNumber(),
        table.root(),
        va,
        vector.pte,
        vector.level.ordinal(),
        new TablePages(rootPages, FRAMES));
    Walk walk = new Walk();
    assertThat(table.walk(va, walk)).as("Java finds it").isTrue();
    assertThat(walk.pte()).isEqualTo(vector.pte);
    return c.walk(window, layout.abiNumber(), table.root(), va);
  }
}
