package dev.xip.demo;

import dev.xip.base.AddrRange;
import dev.xip.host.Libxip;
import dev.xip.host.WalkResult;
import dev.xip.pagetable.EntryLayout;
import dev.xip.phys.PhysicalMemory;
import dev.xip.vm.AddressReader;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.Vma;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * Has C walk the tables that Java wrote, given only their root and the window's base, and compares
 * entry by entry: address, entry, special bit, physical address, and the first bytes there.
 */
public final class NativeCheck {
  private NativeCheck() {}

  /**
   * Compares every entry of an address space.
   *
   * @param space an address space; precondition: no other thread changes it
   * @return the number of entries that C reads differently, misses or reads in excess
   * @throws IOException if a mapped address cannot be read
   */
  public static long disagreements(AddressSpace space) throws IOException {
    long wrong = 0;
    for (Vma vma : space.vmas()) {
      wrong += disagreements(space, vma.range());
    }
    return wrong;
  }

  private record Seen(long va, long pte) {}

  private static long disagreements(AddressSpace space, AddrRange range) throws IOException {
    EntryLayout layout = space.table().layout();
    PhysicalMemory memory = space.manager().memory();
    // C reads tables in RAM only: a file of the window may be truncated, which makes loads fatal.
    MemorySegment ram = memory.ram().asReadOnly();
    Libxip c = Libxip.get();
    List<Seen> ours = new ArrayList<>();
    space
        .table()
        .forEach(range.start(), range.end(), (va, level, slot, pte) -> ours.add(new Seen(va, pte)));
    long root = space.table().root();
    List<WalkResult> theirs = c.dump(ram, layout.abiNumber(), root, range);
    long wrong = Math.abs(ours.size() - theirs.size());
    AddressReader reader = new AddressReader(space);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(ValueLayout.JAVA_LONG);
      for (int i = 0; i < Math.min(ours.size(), theirs.size()); i++) {
        Seen mine = ours.get(i);
        WalkResult his = theirs.get(i);
        boolean same =
            mine.va == his.va()
                && mine.pte == his.pte()
                && layout.isSpecial(mine.pte) == his.special()
                && layout.address(mine.pte) == his.pa()
                && c.read(memory.window(), ram.byteSize(), layout.abiNumber(), root, mine.va, bytes)
                    == Long.BYTES
                && reader.getLong(mine.va) == bytes.get(ValueLayout.JAVA_LONG, 0);
        wrong += same ? 0 : 1;
      }
    }
    return wrong;
  }
}
