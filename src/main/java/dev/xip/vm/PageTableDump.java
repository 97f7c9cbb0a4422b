package dev.xip.vm;

import dev.xip.base.Pages;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Level;
import dev.xip.pagetable.PageTable;

/**
 * Prints a page table for diagnostics: each leaf with its address, level, value and bits, and
 * whether it is special, normal or bad. Leaves of contiguous frames with the same bits share a
 * line. Linux counterpart: arch/x86/mm/dump_pagetables.c.
 *
 * <p>Lock held by the caller: none; it takes the map lock, shared.
 */
public final class PageTableDump {
  private final AddressSpace space;
  private final PageTable table;
  private final EntryLayout layout;
  private final StringBuilder text = new StringBuilder();

  /** The current run: its first leaf and its number of leaves. */
  private long firstVa;

  private long firstPte;
  private Level level;
  private String kind;
  private long count;

  private PageTableDump(AddressSpace space) {
    this.space = space;
    this.table = space.table();
    this.layout = table.layout();
  }

  /**
   * Prints the page table of an address space.
   *
   * @param space the space
   * @return a line about the table, then one for each run of leaves; every line ends with a newline
   */
  public static String of(AddressSpace space) {
    PageTableDump dump = new PageTableDump(space);
    long stamp = space.mm().lockShared();
    try {
      dump.print();
    } finally {
      space.mm().unlockShared(stamp);
    }
    return dump.text.toString();
  }

  private void print() {
    text.append(
        "%s: %s, %d levels, root at pfn 0x%x, %d tables\n"
            .formatted(
                space.name(),
                layout.name(),
                layout.top().ordinal() + 1,
                table.root(),
                table.countTables()));
    table.forEach(
        0,
        layout.addressLimit(),
        (va, entryLevel, slot, pte) -> {
          String entryKind = kindOf(va, pte);
          if (!continuesRun(va, entryLevel, pte, entryKind)) {
            endRun();
            firstVa = va;
            firstPte = pte;
            level = entryLevel;
            kind = entryKind;
          }
          count++;
        });
    endRun();
  }

  private boolean continuesRun(long va, Level entryLevel, long pte, String entryKind) {
    long bytes = count << bytesShift();
    return count > 0
        && entryLevel == level
        && entryKind.equals(kind)
        && va == firstVa + bytes
        && pte == firstPte + bytes;
  }

  private int bytesShift() {
    return level == null ? 0 : layout.shift(level);
  }

  private void endRun() {
    if (count == 0) {
      return;
    }
    long end = firstVa + (count << bytesShift());
    text.append(
        "%012x-%012x %s %5d x %016x pfn 0x%x %s: %s\n"
            .formatted(
                firstVa,
                end,
                level,
                count,
                firstPte,
                layout.address(firstPte) >>> Pages.SHIFT,
                kind,
                layout.describe(firstPte)));
    count = 0;
  }

  /** Whether an entry is special or normal, by {@link MemoryManager#normalFrame}, or bad. */
  private String kindOf(long va, long pte) {
    Vma vma = space.find(va);
    if (vma == null || !layout.isPresent(pte)) {
      return "bad";
    }
    return space.manager().normalFrame(vma, va, pte) == MemoryManager.NO_FRAME
        ? "special"
        : "normal";
  }
}
