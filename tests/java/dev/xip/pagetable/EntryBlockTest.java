package dev.xip.pagetable;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** An operation on a block equals the same operation on each of its entries. */
class EntryBlockTest {
  static final List<EntryLayout> LAYOUTS =
      Layouts.ALL.stream().filter(EntryLayout::hasSpecialBit).toList();

  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final long SOURCE = Pages.SIZE;
  private static final long TARGET = 2 * Pages.SIZE;

  private final Arena arena = Arena.ofAuto();
  private final MemorySegment window = arena.allocate(3 * Pages.SIZE, Pages.SIZE);
  private final Random random = new Random(SEED);

  /** A chain of changes that reaches every state of an entry. */
  private long anyEntry(EntryLayout layout, boolean special) {
    long pfn = random.nextLong(1L << 36);
    long pte = layout.leaf(pfn, BitAlgebra.RIGHTS.get(random.nextInt(BitAlgebra.RIGHTS.size())));
    if (special) {
      pte = layout.withSpecial(pte);
    }
    for (int i = 0; i < 4; i++) {
      pte =
          switch (random.nextInt(7)) {
            case 0 -> layout.withOld(pte);
            case 1 -> layout.withYoung(pte);
            case 2 -> layout.withDirty(pte);
            case 3 -> layout.withClean(pte);
            case 4 -> layout.withWrite(pte);
            default -> layout.withoutWrite(pte);
          };
    }
    return pte;
  }

  private long[] anyEntries(EntryLayout layout, int count) {
    int empties = random.nextInt(3);
    int normals = random.nextInt(3);
    boolean protectedOnes = random.nextBoolean();
    long[] entries = new long[count];
    for (int i = 0; i < count; i++) {
      boolean special = normals == 0 || random.nextInt(40) != 0;
      long pte = anyEntry(layout, special);
      entries[i] =
          empties > 0 && random.nextInt(8 * empties) == 0
              ? layout.empty()
              : protectedOnes ? layout.withoutWrite(pte) : pte;
    }
    return entries;
  }

  private long[] at(long offset, int count) {
    return window.asSlice(offset, 8L * count).toArray(ValueLayout.JAVA_LONG);
  }

  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void aBlockIsWhatItsEntriesAre(EntryLayout layout) {
    EntryBlock block = new EntryBlock(PageTable.at(window, layout, null, 0), window);
    for (int round = 0; round < 400; round++) {
      int count = random.nextInt(1, layout.entriesPerTable(Level.PTE) + 1);
      long[] entries = anyEntries(layout, count);
      MemorySegment.copy(entries, 0, window, ValueLayout.JAVA_LONG, SOURCE, count);
      block.look(SOURCE, count);
      assertThat(block.isSpecialOrEmpty())
          .as("-Dxip.seed=%d, round %d", SEED, round)
          .isEqualTo(
              Arrays.stream(entries).allMatch(pte -> layout.isSpecial(pte) || layout.isEmpty(pte)));
      if (!block.isSpecialOrEmpty()) {
        continue;
      }
      long[] special = Arrays.stream(entries).filter(layout::isSpecial).toArray();
      assertThat(block.hasSpecial()).isEqualTo(special.length > 0);
      if (block.isNoneWritable()) {
        assertThat(Arrays.stream(special).noneMatch(layout::isWritable)).isTrue();
      }
      for (boolean clean : new boolean[] {false, true}) {
        block.copyForked(SOURCE, TARGET, count, clean);
        assertThat(at(TARGET, count))
            .as("-Dxip.seed=%d, round %d, clean %s", SEED, round, clean)
            .containsExactly(
                Arrays.stream(entries)
                    .map(
                        pte ->
                            layout.isEmpty(pte)
                                ? pte
                                : layout.withOld(clean ? layout.withClean(pte) : pte))
                    .toArray());
      }
      assertThat(at(SOURCE, count)).containsExactly(entries);
      block.clear(SOURCE, count);
      assertThat(Arrays.stream(at(SOURCE, count)).allMatch(layout::isEmpty)).isTrue();
    }
  }

  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void entriesThatAreAllProtectedAreKnownToBe(EntryLayout layout) {
    EntryBlock block = new EntryBlock(PageTable.at(window, layout, null, 0), window);
    long[] entries =
        IntStream.range(0, 100)
            .mapToLong(i -> layout.withSpecial(layout.leaf(i, Access.READ)))
            .toArray();
    MemorySegment.copy(entries, 0, window, ValueLayout.JAVA_LONG, SOURCE, entries.length);
    block.look(SOURCE, entries.length);
    assertThat(block.isNoneWritable()).isTrue();
    window.setAtIndex(
        ValueLayout.JAVA_LONG,
        (SOURCE >>> 3) + 63,
        layout.withSpecial(layout.withWrite(layout.leaf(7, Access.READ_WRITE))));
    block.look(SOURCE, entries.length);
    assertThat(block.isNoneWritable()).isFalse();
  }
}
