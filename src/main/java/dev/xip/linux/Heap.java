package dev.xip.linux;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.MapException;
import dev.xip.vm.MapRequest;

/** The heap of a program, which brk(2) moves the end of. */
final class Heap {
  private final AddressSpace space;
  private final long start;

  /** The end, as brk has set it last. */
  private long end;

  Heap(AddressSpace space, long start, long end) {
    this.space = space;
    this.start = start;
    this.end = end;
  }

  /** Whether memory lies in it. */
  boolean holds(AddrRange range) {
    return range.start() >= start && range.end() <= Pages.roundUp(end);
  }

  /** That of a child. */
  Heap forked(AddressSpace child) {
    return new Heap(child, start, end);
  }

  /** Its end, as brk has set it last. */
  long end() {
    return end;
  }

  /** brk(2) as the kernel has it: the end of the heap, the old one if it cannot be moved. */
  long brk(long wantedEnd) {
    if (wantedEnd < start) {
      return end;
    }
    long mapped = Pages.roundUp(end);
    long wanted = Pages.roundUp(wantedEnd);
    try {
      if (wanted > mapped) {
        space.map(MapRequest.anonymous(wanted - mapped, Access.READ_WRITE).at(mapped));
      } else if (wanted < mapped) {
        space.unmap(new AddrRange(wanted, mapped));
      }
      end = wantedEnd;
    } catch (MapException | IllegalArgumentException refused) {
      // The caller compares the answer with what it has asked for.
    }
    return end;
  }
}
