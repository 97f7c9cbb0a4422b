package dev.xip.vm;

import dev.xip.base.Access;
import dev.xip.base.LostPages;
import dev.xip.base.Pages;
import dev.xip.pagetable.RunWalk;
import dev.xip.pagetable.Tlb;
import dev.xip.phys.PhysicalMemory;

/**
 * Translates an address that is not in the run an {@link AddressReader} read from last: by the TLB,
 * then the page table, then the fault handler. For one thread; does not allocate once the TLB has
 * grown to the working set.
 *
 * <p>A translation is the contiguous run around an address. It is true while the epoch of its
 * look-up lasts; the reader checks that after the use.
 *
 * <p>Lock held by the caller: none.
 */
final class Translator {
  /** The granule of the TLB of long runs. */
  private static final long GRANULE = 256L << 10;

  /** The shortest long run: no granule holds more than three of them. */
  private static final long LONG_RUN = GRANULE / 2;

  private static final int MOST_LONG_RUNS = 1 << 14;
  private static final int MOST_SHORT_RUNS = 1 << 13;

  /** How many leaves the look-ups of an epoch may walk, on average. */
  private static final long LEAVES_PER_LOOK_UP = 64;

  private final Mm mm;
  private final FaultHandler faults;
  private final RunWalk walk;
  private final Tlb longRuns = new Tlb(GRANULE, MOST_LONG_RUNS);
  private final Tlb shortRuns = new Tlb(2 * Pages.SIZE, MOST_SHORT_RUNS);
  private final long addressLimit;
  private final long windowBytes;
  private final long windowOffset;

  /** How many look-ups there were in this epoch. */
  private long lookUps;

  private long start;

  /** 0 before the first look-up of this epoch. */
  private long length;

  private long distance;
  private boolean zeroIfLost;
  private Epoch epoch;

  Translator(Mm mm, FaultHandler faults) {
    this.mm = mm;
    this.faults = faults;
    this.walk = new RunWalk(mm.table());
    this.addressLimit = mm.table().layout().addressLimit();
    this.windowBytes = mm.manager().memory().windowBytes();
    this.windowOffset = mm.manager().memory().windowOffset();
  }

  /** The first address of the run. */
  long start() {
    return start;
  }

  /** The bytes of the run. */
  long length() {
    return length;
  }

  /**
   * What to add to an address in the run to have its place in {@link PhysicalMemory#ALL_WINDOWS}.
   */
  long distance() {
    return distance;
  }

  /**
   * Whether what the run has lost reads as zeros. Both TLBs hold only such runs: others lie in a
   * file that is mapped to be stored into.
   */
  boolean isZeroIfLost() {
    return zeroIfLost;
  }

  /** The TLB of long runs, for readers that use its entries directly. */
  Tlb longRuns() {
    return longRuns;
  }

  /** The TLB of short runs. */
  Tlb shortRuns() {
    return shortRuns;
  }

  /** The epoch that the run was looked up in. */
  Epoch epoch() {
    return epoch;
  }

  /**
   * Finds the run around an address, faulting it in first if need be.
   *
   * @param va the address
   * @param wanted how many bytes the caller is going to read from there on, if that is known
   * @throws MemoryFaultException if the access is not allowed or nothing is there
   */
  void translate(long va, long wanted) throws MemoryFaultException {
    enter(mm.epoch());
    if (isIn(longRuns, va) || isIn(shortRuns, va)) {
      return;
    }
    if (va < 0 || va >= addressLimit) {
      throw new MemoryFaultException.SegmentationFault(va, "past the address limit");
    }
    while (true) {
      if (mm.isClosed()) {
        throw new MemoryFaultException.SegmentationFault(va, mm.name() + " has exited");
      }
      if (isMapped(va)) {
        if (lookUp(va, wanted)) {
          return;
        }
      } else {
        if (faults.fault(va, Access.READ, false) instanceof FaultResult.Refused refused) {
          throw refused.cause();
        }
      }
      enter(mm.epoch());
    }
  }

  /** Takes the run from a TLB if it has it and it is still true. */
  private boolean isIn(Tlb tlb, long va) {
    int entry = tlb.find(va);
    if (entry == Tlb.NONE || tlb.generation(entry) != epoch.number()) {
      return false;
    }
    start = tlb.start(entry);
    length = tlb.length(entry);
    distance = tlb.distance(entry);
    zeroIfLost = true;
    return true;
  }

  /** Enters an epoch; the results of an earlier one are dropped. */
  private void enter(Epoch now) {
    if (now != epoch) {
      epoch = now;
      length = 0;
      lookUps = 0;
      walk.forget();
    }
  }

  private boolean isMapped(long va) throws MemoryFaultException {
    try {
      return walk.find(va);
    } catch (IndexOutOfBoundsException e) {
      // A table that was freed during the walk may hold anything; one that was not freed is
      // damaged.
      if (!epoch.hasEnded()) {
        throw new MemoryFaultException.BusError(va, "a table entry points past the window", e);
      }
      return false;
    }
  }

  /** Takes the run around the leaf that the walk found; false if its table may have been freed. */
  private boolean lookUp(long va, long wanted) throws MemoryFaultException {
    long first = walk.start() + walk.distance();
    if (first < 0 || first > windowBytes - (walk.end() - walk.start())) {
      if (epoch.hasEnded()) {
        return false;
      }
      throw new MemoryFaultException.BusError(
          va,
          "bad entry 0x%x: expected an address inside the window of 0x%x bytes"
              .formatted(walk.pte(), windowBytes),
          null);
    }
    growRun(va, wanted);
    if (epoch.hasEnded()) {
      return false;
    }
    join(
        walk.start(),
        Math.min(walk.end(), windowBytes - walk.distance()),
        walk.distance() + windowOffset);
    long at = start + distance + PhysicalMemory.ALL_WINDOWS.address();
    zeroIfLost = !LostPages.mayHoldStores(at, at + length);
    if (zeroIfLost) {
      Tlb tlb = length < LONG_RUN ? shortRuns : longRuns;
      tlb.put(va, start, length, distance, epoch.number());
    }
    return true;
  }

  /**
   * Extends the run: always over one granule of the TLB and the bytes wanted, and further whenever
   * the number of look-ups has doubled. So the work for runs that are used once stays in proportion
   * to the look-ups.
   */
  private void growRun(long va, long wanted) {
    long floor = Math.max(0, -walk.distance());
    long limit = Math.min(addressLimit, windowBytes - walk.distance());
    try {
      lookUps++;
      if ((lookUps & lookUps - 1) == 0) {
        walk.grow(floor, limit, lookUps * LEAVES_PER_LOOK_UP);
      } else {
        long end = va + Math.max(GRANULE, wanted);
        walk.grow(Math.max(va - GRANULE, floor), Math.min(end, limit), Pages.covering(end - va));
      }
    } catch (IndexOutOfBoundsException e) {
      // The run ends at a damaged table, or the epoch is over.
    }
  }

  /** Takes a run, joined with the previous one if they are contiguous. */
  private void join(long newStart, long newEnd, long newDistance) {
    long end = start + length;
    boolean together = length != 0 && newDistance == distance && newStart <= end && start <= newEnd;
    start = together ? Math.min(start, newStart) : newStart;
    length = (together ? Math.max(end, newEnd) : newEnd) - start;
    distance = newDistance;
  }
}
