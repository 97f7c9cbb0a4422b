package dev.xip.vm;

import dev.xip.base.LostPages;
import dev.xip.pagetable.Tlb;
import dev.xip.phys.PhysicalMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.Objects;

/**
 * Reads an address space through its page table, at the bytes' own place. It keeps the translation
 * of the last contiguous run, so that most reads cost one comparison and one addition, and a TLB of
 * other runs. For one thread; make one reader for each. Reading allocates nothing.
 *
 * <p>A translation is used first and checked afterwards: if its epoch has ended, the bytes read are
 * discarded and read again. A lost page of a file reads as zeros, see {@link LostPages}: so a
 * single value is checked for loss only if it is zero or may cross pages, and a copy as a whole.
 * Where a file is mapped to be stored into, a lost page may hold stores, and each value is checked.
 *
 * <p>Lock held by the caller: none; it takes no lock except in faults, and checks the epoch
 * instead.
 */
public final class AddressReader {
  /** How many addresses {@link #getLongs} translates before it reads. */
  private static final int LONGS_AT_ONCE = 256;

  /** How many pieces {@link #copyEach} translates and touches before it copies. */
  private static final int PIECES_AT_ONCE = 16;

  private static final MemorySegment MEMORY = PhysicalMemory.ALL_WINDOWS;

  private final Mm mm;
  private final Translator translator;
  private final Tlb longRuns;
  private final Tlb shortRuns;

  /** The last run: its first address, ... */
  private long runStart;

  /** ... its bytes (0: no run), ... */
  private long runBytes;

  /** ... the number of addresses in it at which a whole long starts, ... */
  private long runLongs;

  /** ... the same, or 0 if a lost page of it need not read as zeros, ... */
  private long trustedLongs;

  /** ... and what to add to an address to have its place in all windows. */
  private long runDistance;

  /** The epoch of the last look-up: the run's, if there is a run. */
  private Epoch runEpoch;

  /** Places of the addresses that one pass translates; made when first needed. */
  private long[] places;

  /** Keeps the compiler from removing loads whose purpose is to fill the processor's cache. */
  @SuppressWarnings("unused")
  private byte touched;

  /**
   * Makes a reader.
   *
   * @param space the address space to read
   */
  public AddressReader(AddressSpace space) {
    this.mm = space.mm();
    this.translator = new Translator(mm, space.faults());
    this.longRuns = translator.longRuns();
    this.shortRuns = translator.shortRuns();
    this.runEpoch = mm.epoch();
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
      long inRun = va - runStart;
      if (Long.compareUnsigned(inRun, runBytes) < 0) {
        byte value = MEMORY.get(ValueLayout.JAVA_BYTE, va + runDistance);
        if (isCurrent()) {
          if (value == 0 || trustedLongs == 0) {
            requireNotLost(va, va + runDistance, 1);
          }
          return value;
        }
      }
      reach(va, 1);
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
    long inRun = va - runStart;
    if (Long.compareUnsigned(inRun, trustedLongs) < 0) {
      long value = MEMORY.get(ValueLayout.JAVA_LONG_UNALIGNED, va + runDistance);
      VarHandle.loadLoadFence();
      if (!runEpoch.hasEndedBehindFence()) {
        if (mayBeLost(va, value)) {
          requireNotLost(va, va + runDistance, Long.BYTES);
        }
        return value;
      }
    }
    return getLongElsewhere(va);
  }

  private long getLongElsewhere(long va) throws MemoryFaultException {
    int entry = longRuns.find(va);
    if (entry != Tlb.NONE) {
      return getLong(va, longRuns, entry);
    }
    entry = shortRuns.find(va);
    if (entry != Tlb.NONE) {
      return getLong(va, shortRuns, entry);
    }
    return getLongSlowly(va);
  }

  private long getLong(long va, Tlb tlb, int entry) throws MemoryFaultException {
    Epoch epoch = runEpoch;
    if (tlb.generation(entry) == epoch.number()) {
      long value = MEMORY.get(ValueLayout.JAVA_LONG_UNALIGNED, va + tlb.distance(entry));
      if (!epoch.hasEnded()) {
        if (mayBeLost(va, value)) {
          requireNotLost(va, va + tlb.distance(entry), Long.BYTES);
        }
        return value;
      }
    }
    return getLongSlowly(va);
  }

  private long getLongSlowly(long va) throws MemoryFaultException {
    while (true) {
      reach(va, Long.BYTES);
      if (va - runStart >= runLongs) {
        return getLongAcrossRuns(va);
      }
      long value = MEMORY.get(ValueLayout.JAVA_LONG_UNALIGNED, va + runDistance);
      if (isCurrent()) {
        requireNotLost(va, va + runDistance, Long.BYTES);
        return value;
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
   * Reads eight bytes at each of many addresses so that cache misses overlap: addresses in the last
   * run are read at once; else up to {@value #LONGS_AT_ONCE} are translated before the first is
   * read.
   *
   * @param addresses the address of the first byte of each
   * @param values receives the numbers that they make, in the host's order
   * @param count how many, from the start of both arrays
   * @throws MemoryFaultException if an access is not allowed or nothing is there; what was read
   *     until then stays
   */
  public void getLongs(long[] addresses, long[] values, int count) throws MemoryFaultException {
    Objects.checkFromIndexSize(0, count, addresses.length);
    Objects.checkFromIndexSize(0, count, values.length);
    if (places == null) {
      places = new long[LONGS_AT_ONCE];
    }
    int done = 0;
    while ((done += getLongsInRun(addresses, values, done, count)) < count) {
      reach(addresses[done], Long.BYTES);
      Epoch epoch = runEpoch;
      int found = translate(addresses, done, Math.min(count - done, LONGS_AT_ONCE));
      if (found == 0) {
        values[done] = getLongAcrossRuns(addresses[done]);
        done++;
        continue;
      }
      readPlaces(values, done, found);
      if (isCurrent() && runEpoch == epoch) {
        requireNotLost(addresses, places, done, done + found);
        done += found;
      }
    }
  }

  /**
   * Reads longs as long as they lie in the last run, without storing their places; returns how
   * many.
   */
  private int getLongsInRun(long[] addresses, long[] values, int from, int count)
      throws MemoryFaultException {
    if (from == count || Long.compareUnsigned(addresses[from] - runStart, runLongs) >= 0) {
      return 0;
    }
    int end = readInRun(addresses, values, from, count);
    if (!isCurrent()) {
      return 0;
    }
    if (LostPages.any()) {
      for (int i = from; i < end; i++) {
        requireNotLost(addresses[i], addresses[i] + runDistance, Long.BYTES);
      }
    }
    return end - from;
  }

  private int readInRun(long[] addresses, long[] values, int from, int count) {
    long start = runStart;
    long longs = runLongs;
    long distance = runDistance;
    for (int i = from; i < count; i++) {
      long va = addresses[i];
      if (Long.compareUnsigned(va - start, longs) >= 0) {
        return i;
      }
      values[i] = MEMORY.get(ValueLayout.JAVA_LONG_UNALIGNED, va + distance);
    }
    return count;
  }

  /**
   * Finds the places of longs, up to the first that crosses runs or that was reached after the
   * epoch ended; returns how many.
   */
  private int translate(long[] addresses, int from, int count) throws MemoryFaultException {
    long[] to = places;
    Epoch epoch = runEpoch;
    for (int i = 0; i < count; i++) {
      long va = addresses[from + i];
      if (Long.compareUnsigned(va - runStart, runLongs) < 0) {
        to[i] = va + runDistance;
        continue;
      }
      Tlb tlb = longRuns;
      int entry = tlb.find(va);
      if (entry == Tlb.NONE) {
        tlb = shortRuns;
        entry = tlb.find(va);
      }
      if (entry != Tlb.NONE && tlb.generation(entry) == epoch.number()) {
        to[i] = va + tlb.distance(entry);
        continue;
      }
      reach(va, Long.BYTES);
      if (runEpoch != epoch || va - runStart >= runLongs) {
        return i;
      }
      to[i] = va + runDistance;
    }
    return count;
  }

  private void readPlaces(long[] values, int from, int count) {
    long[] at = places;
    for (int i = 0; i < count; i++) {
      values[from + i] = MEMORY.get(ValueLayout.JAVA_LONG_UNALIGNED, at[i]);
    }
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
    long done = 0;
    while (done < length) {
      reach(va + done, length - done);
      long inRun = va + done - runStart;
      long bytes = Math.min(length - done, runBytes - inRun);
      MemorySegment.copy(MEMORY, va + done + runDistance, destination, offset + done, bytes);
      if (isCurrent()) {
        requireNotLost(va + done, va + done + runDistance, bytes);
        done += bytes;
      }
    }
  }

  /**
   * Copies a piece from each of many addresses. The first bytes of some pieces are touched before
   * the first piece is copied, so that the copies do not wait for memory one after the other.
   *
   * @param addresses the address of the first byte of each piece
   * @param count how many, from the start of the array
   * @param length how many bytes each piece has
   * @param destination where they go, one piece after the other
   * @param offset the byte offset there of the first piece
   * @throws MemoryFaultException if an access is not allowed or nothing is there; what was copied
   *     until then stays
   */
  public void copyEach(
      long[] addresses, int count, long length, MemorySegment destination, long offset)
      throws MemoryFaultException {
    Objects.checkFromIndexSize(0, count, addresses.length);
    Objects.checkFromIndexSize(offset, count * length, destination.byteSize());
    if (length == 0) {
      return;
    }
    for (int done = 0; done < count; done += PIECES_AT_ONCE) {
      int end = Math.min(count, done + PIECES_AT_ONCE);
      copyPieces(addresses, done, end, length, destination, offset);
    }
  }

  private void copyPieces(
      long[] addresses, int from, int to, long length, MemorySegment destination, long offset)
      throws MemoryFaultException {
    byte bytes = 0;
    for (int i = from; i < to; i++) {
      reach(addresses[i], length);
      bytes ^= MEMORY.get(ValueLayout.JAVA_BYTE, addresses[i] + runDistance);
    }
    touched = bytes;
    for (int i = from; i < to; i++) {
      copy(addresses[i], destination, offset + i * length, length);
    }
  }

  /**
   * Tells whether a long may come from a lost page: such a page reads as zeros, and an unaligned
   * long may lie in two pages.
   */
  private static boolean mayBeLost(long va, long value) {
    return value == 0 || (va & Long.BYTES - 1) != 0;
  }

  /**
   * Checks that bytes that were read are not lost.
   *
   * @param va the address of the first
   * @param place its place in all windows
   * @param bytes how many
   * @throws MemoryFaultException if one of them is lost
   */
  private void requireNotLost(long va, long place, long bytes) throws MemoryFaultException {
    if (LostPages.any()) {
      long at = MEMORY.address() + place;
      LostPages.Range lost = LostPages.in(at, at + bytes);
      if (lost != null) {
        throw mm.lostAt(va + Math.max(0, lost.lostFrom() - at));
      }
    }
  }

  /** The same for longs; the first of them lies at {@code places[0]}. */
  private void requireNotLost(long[] addresses, long[] places, int from, int to)
      throws MemoryFaultException {
    if (LostPages.any()) {
      for (int i = from; i < to; i++) {
        requireNotLost(addresses[i], places[i - from], Long.BYTES);
      }
    }
  }

  /** Tells whether the run is still true, and forgets it if not. */
  private boolean isCurrent() {
    if (!runEpoch.hasEnded()) {
      return true;
    }
    runBytes = 0;
    runLongs = 0;
    trustedLongs = 0;
    return false;
  }

  /** Makes the run that an address lies in the current one. */
  private void reach(long va, long wanted) throws MemoryFaultException {
    if (Long.compareUnsigned(va - runStart, runBytes) >= 0) {
      translator.translate(va, wanted);
      runStart = translator.start();
      runBytes = translator.length();
      runLongs = runBytes - (Long.BYTES - 1);
      trustedLongs = translator.isZeroIfLost() ? runLongs : 0;
      runDistance = translator.distance();
      runEpoch = translator.epoch();
    }
  }
}
