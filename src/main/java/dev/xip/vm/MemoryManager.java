package dev.xip.vm;

import dev.xip.base.AtomicContext;
import dev.xip.base.Pages;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.TableSupply;
import dev.xip.phys.FrameAllocator;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PageFrames;
import dev.xip.phys.PhysicalMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * What all address spaces of a machine share: physical memory, the entry layout, the sparse page
 * and the one judge, {@link #normalFrame}.
 */
public final class MemoryManager implements TableSupply {
  /** What {@link #normalFrame} answers for an entry that has no page frame. */
  public static final long NO_FRAME = -1;

  private static final String ENTRY_LOCK = "entry lock";

  private final PhysicalMemory memory;
  private final EntryLayout layout;
  private final PageFrames frames;
  private final FrameAllocator allocator;
  private final long sparsePfn;
  private final BadEntries badEntries = new BadEntries();
  private final List<AddressSpace> spaces = new CopyOnWriteArrayList<>();

  /**
   * Boots the memory manager and takes the sparse page.
   *
   * @param memory the machine's physical memory
   * @param layout the architecture's entries
   */
  public MemoryManager(PhysicalMemory memory, EntryLayout layout) {
    this.memory = memory;
    this.layout = layout;
    this.frames = memory.frames();
    this.allocator = memory.allocator();
    this.sparsePfn = allocator.allocate(FrameUse.SPARSE);
  }

  /**
   * Says which page frame an entry counts for. With the special bit this tests one bit: no look-up,
   * no lock, no call. The mapping's flags are consulted only if the bit is set. Linux counterpart:
   * {@code vm_normal_page} (mm/memory.c).
   *
   * @param vma the mapping that the entry is in
   * @param va the address that the entry is for
   * @param pte a present entry
   * @return the frame number, or {@link #NO_FRAME} if nothing may be counted
   */
  public long normalFrame(Vma vma, long va, long pte) {
    if (layout.isSpecial(pte)) {
      if ((vma.flags() & VmaFlags.MIXEDMAP) == 0) {
        badEntries.report(vma, va, pte, "special entry in a mapping without MIXEDMAP");
      }
      return NO_FRAME;
    }
    long pfn = layout.pfn(pte);
    if (!frames.contains(pfn)) {
      badEntries.report(vma, va, pte, "pfn 0x%x has no page frame".formatted(pfn));
      return NO_FRAME;
    }
    return pfn;
  }

  /**
   * Makes an empty address space.
   *
   * @param name its name, for people
   * @return the space, to be closed by its owner
   * @throws MapException ENOMEM if there is no frame for its root table
   */
  public AddressSpace newAddressSpace(String name) throws MapException {
    AddressSpace space = new AddressSpace(this, name);
    spaces.add(space);
    return space;
  }

  void forget(AddressSpace space) {
    spaces.remove(space);
  }

  /**
   * Lists the address spaces.
   *
   * @return those that are not closed
   */
  public List<AddressSpace> spaces() {
    return new ArrayList<>(spaces);
  }

  /**
   * Returns the physical memory.
   *
   * @return the machine's memory
   */
  public PhysicalMemory memory() {
    return memory;
  }

  /**
   * Returns the layout.
   *
   * @return the architecture's entries
   */
  public EntryLayout layout() {
    return layout;
  }

  /**
   * Returns the page that every hole shows.
   *
   * @return a frame of RAM that is always zero
   */
  public long sparsePfn() {
    return sparsePfn;
  }

  /**
   * Returns the entries that made no sense.
   *
   * @return their reports
   */
  public BadEntries badEntries() {
    return badEntries;
  }

  /**
   * Takes the lock of the table page that a slot lies in. Linux counterpart: {@code pte_lockptr}.
   */
  void lockEntry(long slot) {
    long table = slot >>> Pages.SHIFT;
    while (!frames.tryLock(table)) {
      Thread.onSpinWait();
    }
    AtomicContext.enter(ENTRY_LOCK);
  }

  void unlockEntry(long slot) {
    AtomicContext.leave(ENTRY_LOCK);
    frames.unlock(slot >>> Pages.SHIFT);
  }

  @Override
  public long allocateTable(int pages) {
    return allocator.allocateRun(FrameUse.TABLE, pages);
  }

  @Override
  public void freeTable(long pfn) {
    allocator.put(pfn);
  }
}
