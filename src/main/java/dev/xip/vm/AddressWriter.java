package dev.xip.vm;

import dev.xip.base.Access;
import dev.xip.base.LostPages;
import dev.xip.base.Pages;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Level;
import dev.xip.pagetable.PageTable;
import dev.xip.pagetable.Walk;
import dev.xip.phys.PhysicalMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Stores into an address space through its page table. For one thread; make one writer for each.
 * Storing allocates nothing.
 *
 * <p>A reader may use a translation first and check it afterwards; a store cannot be taken back. So
 * each store, of at most a page, is made under the lock of the entry that allows it. Unmap, fork
 * and copy on write change the entry under the same lock: a store lands before the change and is
 * seen, or finds the entry changed and faults. Hardware has every processor drop the translation
 * (TLB shootdown) before the change takes effect.
 *
 * <p>Lock held by the caller: none; it takes the entry lock for each store.
 */
public final class AddressWriter {
  private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[(int) Pages.SIZE]);

  private final Mm mm;
  private final FaultHandler faults;
  private final MemoryManager manager;
  private final PageTable table;
  private final EntryLayout layout;
  private final PhysicalMemory memory;
  private final Walk walk = new Walk();

  /** The source of {@link #putByte} and {@link #putLong}. */
  private final MemorySegment word = MemorySegment.ofArray(new long[1]);

  /**
   * Makes a writer.
   *
   * @param space the address space to store into
   */
  public AddressWriter(AddressSpace space) {
    this.mm = space.mm();
    this.faults = space.faults();
    this.manager = mm.manager();
    this.table = mm.table();
    this.layout = table.layout();
    this.memory = manager.memory();
  }

  /**
   * Stores a byte.
   *
   * @param va its address
   * @param value the byte
   * @throws MemoryFaultException if the access is not allowed or there is no memory for it
   */
  public void putByte(long va, byte value) throws MemoryFaultException {
    word.set(ValueLayout.JAVA_BYTE, 0, value);
    copy(word, 0, va, 1);
  }

  /**
   * Stores eight bytes in the host's order. The address may be unaligned; across pages they are two
   * stores.
   *
   * @param va the address of the first
   * @param value the number that they make
   * @throws MemoryFaultException if the access is not allowed or there is no memory for it
   */
  public void putLong(long va, long value) throws MemoryFaultException {
    word.set(ValueLayout.JAVA_LONG, 0, value);
    copy(word, 0, va, Long.BYTES);
  }

  /**
   * Stores bytes, page by page.
   *
   * @param source where they come from
   * @param offset the byte offset there
   * @param va the address that the first goes to
   * @param length how many bytes
   * @throws MemoryFaultException if the access is not allowed or there is no memory for it; what
   *     was stored until then stays
   */
  public void copy(MemorySegment source, long offset, long va, long length)
      throws MemoryFaultException {
    for (long done = 0; done < length; ) {
      long at = va + done;
      long bytes = Math.min(length - done, Pages.SIZE - (at & Pages.OFFSET_MASK));
      if (at < 0 || at >= layout.addressLimit()) {
        throw new MemoryFaultException.SegmentationFault(at, "past the address limit");
      }
      while (!store(source, offset + done, at, bytes)) {
        if (faults.fault(at, Access.WRITE, false) instanceof FaultResult.Refused refused) {
          throw refused.cause();
        }
      }
      done += bytes;
    }
  }

  /** Stores into one page if its entry allows it. */
  private boolean store(MemorySegment source, long offset, long va, long bytes)
      throws MemoryFaultException {
    long generation = mm.generation();
    if (mm.isClosed()) {
      throw new MemoryFaultException.SegmentationFault(va, mm.name() + " has exited");
    }
    if (!findSlot(va, generation)) {
      return false;
    }
    long slot = walk.slot();
    manager.lockEntry(slot);
    try {
      long pte = table.get(slot);
      // If the table was freed since the walk, the lock is that of another table.
      if (mm.generation() != generation || !isStorable(pte)) {
        return false;
      }
      long pa = layout.address(pte) | va & Pages.OFFSET_MASK;
      if (!memory.store(source, offset, pa, bytes)) {
        throw notStorable(va, pte, pa, bytes);
      }
      if (LostPages.any() && isLost(pa, bytes)) {
        // Zeros the lost page again: a reader would take other bytes for those of the file.
        memory.store(ZEROS, 0, pa, bytes);
        throw mm.lostAt(va);
      }
      return true;
    } finally {
      manager.unlockEntry(slot);
    }
  }

  private MemoryFaultException notStorable(long va, long pte, long pa, long bytes) {
    String found =
        pa > memory.windowBytes() - bytes
            ? "it points past the window"
            : "expected memory that can be written at physical address 0x%x".formatted(pa);
    return new MemoryFaultException.BusError(va, "bad entry 0x%x: %s".formatted(pte, found), null);
  }

  /**
   * A store to a page that was lost, because the file was cut or the disk is full, is in no file.
   */
  private boolean isLost(long pa, long bytes) {
    long at = memory.window().address() + pa;
    return LostPages.in(at, at + bytes) != null;
  }

  private boolean findSlot(long va, long generation) throws MemoryFaultException {
    try {
      return table.walk(va, walk) && walk.level() == Level.PTE;
    } catch (IndexOutOfBoundsException e) {
      if (mm.generation() == generation) {
        throw new MemoryFaultException.BusError(va, "a table entry points past the window", e);
      }
      return false;
    }
  }

  /** Whether the entry is writable, and dirty where the architecture tracks that. */
  private boolean isStorable(long pte) {
    return layout.isValid(pte) && layout.isWritable(pte) && layout.withDirty(pte) == pte;
  }
}
