package dev.xip.vm;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import dev.xip.base.PendingFaults;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Level;
import dev.xip.pagetable.PageTable;
import dev.xip.pagetable.Walk;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * Reads an address space through its page table, at the bytes' own place. It keeps the translation
 * of the last contiguous run, so that most reads cost one comparison and one addition. For one
 * thread; make one reader for each. Reading allocates nothing.
 *
 * <p>A translation is used first and checked afterwards: if the space's generation moved, what was
 * read is discarded and read again.
 */
public final class AddressReader {
  /** As many entries as one table has. */
  private static final int MOST_LOOK_AHEAD = 512;

  private final AddressSpace space;
  private final PageTable table;
  private final EntryLayout layout;
  private final MemorySegment window;
  private final Walk walk = new Walk();

  /** The run in the cache: addresses from here on ... */
  private long runStart;

  /** ... for so many bytes (0: nothing cached) ... */
  private long runLength;

  /** ... lie in the window at their address plus this. */
  private long runDelta;

  /** The generation that the run was looked up in. */
  private long runGeneration;

  /**
   * How many entries the next look-up may go through for its run. Doubles while one run is read
   * after the other and falls back to one when reads jump about, for then the neighbours are no
   * use.
   */
  private int lookAhead = 1;

  /**
   * Makes a reader.
   *
   * @param space the address space to read
   */
  public AddressReader(AddressSpace space) {
    this.space = space;
    this.table = space.table();
    this.layout = table.layout();
    this.window = space.manager().memory().window();
  }

  /**
   * Reads a byte.
   *
   * @param va its address
   * @return the byte
   * @throws MemoryFaultException if the access is not allowed or nothing is there
   */
  public byte getByte(long va) throws MemoryFaultException {
    while (true) {
      long offset = va - runStart;
      if (offset < 0 || offset >= runLength) {
        fill(va);
        continue;
      }
      try {
        byte value = window.get(ValueLayout.JAVA_BYTE, va + runDelta);
        if (isCurrent()) {
          return value;
        }
      } catch (InternalError e) {
        throw cut(va, e);
      }
    }
  }

  /**
   * Reads eight bytes in the host's order. They may lie on any address and cross pages.
   *
   * @param va the address of the first
   * @return the number that they make
   * @throws MemoryFaultException if the access is not allowed or nothing is there
   */
  public long getLong(long va) throws MemoryFaultException {
    while (true) {
      long offset = va - runStart;
      if (offset < 0 || offset > runLength - Long.BYTES) {
        if (offset >= 0 && offset < runLength && isCurrent()) {
          return getLongAcrossRuns(va);
        }
        fill(va);
        continue;
      }
      try {
        long value = window.get(ValueLayout.JAVA_LONG_UNALIGNED, va + runDelta);
        if (isCurrent()) {
          return value;
        }
      } catch (InternalError e) {
        throw cut(va, e);
      }
    }
  }

  private long getLongAcrossRuns(long va) throws MemoryFaultException {
    long value = 0;
    for (int i = 0; i < Long.BYTES; i++) {
      value |= (getByte(va + i) & 0xffL) << (8 * i);
    }
    return value;
  }

  /**
   * Copies bytes out, one copy for each contiguous run.
   *
   * @param va the address of the first byte
   * @param destination where they go
   * @param offset the byte offset there
   * @param length how many bytes
   * @throws MemoryFaultException if the access is not allowed or nothing is there; what was copied
   *     until then stays
   */
  public void copy(long va, MemorySegment destination, long offset, long length)
      throws MemoryFaultException {
    try {
      try {
        copyRuns(va, destination, offset, length);
      } finally {
        PendingFaults.settle();
      }
    } catch (InternalError e) {
      throw cut(va, e);
    }
  }

  private void copyRuns(long va, MemorySegment destination, long offset, long length)
      throws MemoryFaultException {
    long done = 0;
    while (done < length) {
      long at = va + done;
      long inRun = at - runStart;
      if (inRun < 0 || inRun >= runLength) {
        fill(at);
        continue;
      }
      long bytes = Math.min(length - done, runLength - inRun);
      MemorySegment.copy(window, at + runDelta, destination, offset + done, bytes);
      if (isCurrent()) {
        done += bytes;
      }
    }
  }

  /** Tells whether the run was true until now, and forgets it if not. */
  private boolean isCurrent() {
    // The bytes must have been read before the generation is: acquire alone would not order that.
    VarHandle.loadLoadFence();
    if (space.generation() == runGeneration) {
      return true;
    }
    runLength = 0;
    return false;
  }

  /** Caches the run around an address, faulting it in first if need be. */
  private void fill(long va) throws MemoryFaultException {
    if (va < 0 || va >= layout.addressLimit()) {
      throw new MemoryFaultException.SegmentationFault(va, "past the address limit");
    }
    boolean sequential = va >= runStart && va - runStart - runLength < Pages.SIZE;
    lookAhead = sequential ? Math.min(lookAhead * 2, MOST_LOOK_AHEAD) : 1;
    while (true) {
      runGeneration = space.generation();
      runLength = 0;
      if (space.isClosed()) {
        throw new MemoryFaultException.SegmentationFault(va, space.name() + " has exited");
      }
      if (isMapped(va)) {
        cacheRun(va);
        if (isCurrent()) {
          return;
        }
      } else if (space.fault(va, Access.READ) instanceof FaultResult.Refused refused) {
        throw refused.cause();
      }
    }
  }

  private boolean isMapped(long va) throws MemoryFaultException {
    try {
      return table.walk(va, walk) && layout.isValid(walk.pte(), walk.level());
    } catch (IndexOutOfBoundsException e) {
      // A table that was freed under the walk holds anything; one that was not is damaged.
      if (space.generation() == runGeneration) {
        throw new MemoryFaultException.BusError(va, "a table entry points past the window", e);
      }
      return false;
    }
  }

  /**
   * Takes the page that the walk found and, at the lowest level, the entries after it in the same
   * table as long as their frames go on without a gap.
   */
  private void cacheRun(long va) throws MemoryFaultException {
    long bytes = 1L << layout.shift(walk.level());
    long start = va & -bytes;
    long end = start + bytes;
    long pa = layout.address(walk.pte()) & -bytes;
    if (pa > window.byteSize() - bytes) {
      throw new MemoryFaultException.BusError(
          va,
          "bad entry 0x%x: expected an address inside the window of 0x%x bytes"
              .formatted(walk.pte(), window.byteSize()),
          null);
    }
    long delta = pa - start;
    if (walk.level() == Level.PTE) {
      long tableEnd = (walk.slot() & -Pages.SIZE) + layout.tableBytes(Level.PTE);
      long limit = Math.min(tableEnd, walk.slot() + 8L * lookAhead);
      for (long slot = walk.slot() + 8; slot < limit && follows(slot, end + delta); slot += 8) {
        end += bytes;
      }
    }
    runStart = start;
    runDelta = delta;
    runLength = end - start;
  }

  private boolean follows(long slot, long pa) {
    long pte = table.get(slot);
    return layout.isValid(pte)
        && layout.address(pte) == pa
        && pa >= 0
        && pa <= window.byteSize() - Pages.SIZE;
  }

  private MemoryFaultException cut(long va, InternalError error) {
    Vma vma = space.find(va);
    return new MemoryFaultException.BusError(
        va,
        vma == null || vma.isAnonymous()
            ? "the memory behind it is gone"
            : "the file behind %s was cut while mapped, in or after page 0x%x"
                .formatted(vma.file().name(), vma.pageAt(va)),
        error);
  }
}
