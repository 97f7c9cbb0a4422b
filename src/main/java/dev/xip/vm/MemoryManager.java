package dev.xip.vm;

import dev.xip.base.AtomicContext;
import dev.xip.base.Errno;
import dev.xip.base.LockOrder;
import dev.xip.base.Pages;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.PageTable;
import dev.xip.pagetable.TableSupply;
import dev.xip.phys.FrameAllocator;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PageFrames;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.RegionFrames;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The state that all address spaces of a machine share: physical memory, the entry layout, the
 * sparse page, and the normal-page test, {@link #normalFrame}.
 *
 * <p>Lock held by the caller: none needed.
 */
public final class MemoryManager implements TableSupply {
  /** The answer of {@link #normalFrame} for an entry without a page frame. */
  public static final long NO_FRAME = -1;

  private static final String ENTRY_LOCK = "entry lock";

  private final PhysicalMemory memory;
  private final EntryLayout layout;
  private final NormalFrame strategy;
  private final Rules rules;
  private final boolean hasZeroPage;

  /** Whether the strategy is the special bit: the one that needs no call. */
  private final boolean usesSpecialBit;

  /** Whether regions have page frames of their own. */
  private final RegionFrames regionFrames;

  /** Whether entries without a page frame are marked in MIXEDMAP alone. */
  private final boolean usesRefcountBit;

  private final PageFrames frames;
  private final FrameAllocator allocator;
  private final long highestPfn;
  private final long zeroPfn;
  private final SparsePage sparsePage;
  private final ReverseMap reverseMap = new ReverseMap(this);
  private final BadEntries badEntries;

  /** Test hook, called at each {@link Step}. */
  private volatile Step.Hook hook = Step.Hook.NONE;

  private final List<AddressSpace> spaces = new CopyOnWriteArrayList<>();
  private final SpaceCounters counters = new SpaceCounters(null);

  /**
   * Boots the memory manager of a machine with the special-bit strategy.
   *
   * @param memory the machine's physical memory
   * @param layout the architecture's entries
   * @throws IllegalArgumentException if the architecture has no special bit
   */
  public MemoryManager(PhysicalMemory memory, EntryLayout layout) {
    this(memory, layout, NormalFrame.specialBit());
  }

  /**
   * Boots the memory manager and takes the zero page and the sparse page.
   *
   * @param memory the machine's physical memory
   * @param layout the architecture's entries
   * @param strategy how to decide whether an entry has a page frame
   * @throws IllegalArgumentException if the strategy needs a special bit and the architecture has
   *     none, or if RAM has no two free frames
   */
  public MemoryManager(PhysicalMemory memory, EntryLayout layout, NormalFrame strategy) {
    this(memory, layout, strategy, Rules.DEFAULT);
  }

  /**
   * Boots the memory manager of a machine that keeps to the rules of some release.
   *
   * @param memory the machine's physical memory
   * @param layout the architecture's entries
   * @param strategy how to decide whether an entry has a page frame
   * @param rules where releases differ
   * @throws IllegalArgumentException if the strategy needs a special bit and the architecture has
   *     none, or if RAM has no two free frames
   */
  public MemoryManager(
      PhysicalMemory memory, EntryLayout layout, NormalFrame strategy, Rules rules) {
    this.usesSpecialBit = strategy instanceof NormalFrame.SpecialBit;
    this.usesRefcountBit = strategy instanceof NormalFrame.RefcountPteBit;
    if ((usesSpecialBit || usesRefcountBit) && !layout.hasSpecialBit()) {
      throw new IllegalArgumentException(
          Errno.EINVAL.message(
              "strategy %s: expected a layout with a special bit, found %s, which can have %s",
              strategy.name(), layout, Names.join(FrameStrategy.possibleWith(layout))));
    }
    this.regionFrames = memory.frames().regionFrames();
    if (regionFrames != RegionFrames.NONE && !usesSpecialBit
        || regionFrames == RegionFrames.DEVMAP && !layout.hasDevmapBit()) {
      throw new IllegalArgumentException(
          Errno.EINVAL.message(
              "page frames of regions (%s): expected the special bit and a layout that tells such"
                  + " frames, found strategy %s, layout %s",
              regionFrames, strategy.name(), layout));
    }
    this.memory = memory;
    this.layout = layout;
    this.strategy = strategy;
    this.rules = rules;
    this.frames = memory.frames();
    this.allocator = memory.allocator();
    this.highestPfn = frames.end() - 1;
    this.zeroPfn = allocator.allocate(FrameUse.ZERO);
    this.sparsePage = new SparsePage(this);
    if (sparsePage.pfn() < 0) {
      throw new IllegalArgumentException(
          Errno.ENOMEM.message(
              "RAM of 0x%x bytes: expected two free frames, for the zero and the sparse page",
              memory.ramBytes()));
    }
    this.hasZeroPage = rules.has(Rule.ZERO_PAGE);
    this.badEntries =
        new BadEntries(
            layout,
            () -> mms().iterator(),
            System::nanoTime,
            rules.has(Rule.BAD_ENTRY_REPORTS_LIMITED));
  }

  /**
   * Returns the page frame of an entry that is to be counted. With the special bit this tests one
   * bit: no look-up, no lock, no call. The mapping's flags are consulted only if the bit is set.
   * Other strategies are called. Linux counterpart: {@code vm_normal_page} (mm/memory.c).
   *
   * @param vma the mapping that the entry is in
   * @param va the address that the entry is for
   * @param pte a present entry
   * @return the frame number, or {@link #NO_FRAME} if nothing may be counted
   * @throws dev.xip.base.SleepingInAtomicException if the strategy sleeps and the caller may not
   */
  public long normalFrame(Vma vma, long va, long pte) {
    if (usesSpecialBit) {
      if (layout.isSpecial(pte)) {
        if ((vma.flags() & (VmaFlags.PFNMAP | VmaFlags.MIXEDMAP)) != 0) {
          return NO_FRAME;
        }
      } else {
        long pfn = layout.pfn(pte);
        if (pfn <= highestPfn) {
          return pfn;
        }
      }
    }
    return strategy.decide(this, vma, va, pte);
  }

  /** {@return the strategy by which {@link #normalFrame} decides} */
  public NormalFrame strategy() {
    return strategy;
  }

  /** {@return whether {@link #normalFrame} tests the special bit} */
  public boolean usesSpecialBit() {
    return usesSpecialBit;
  }

  /**
   * Tells whether an entry without a page frame is made with the special bit. Linux counterpart:
   * {@code pte_mkspecial}, {@code pte_set_norefcount}.
   *
   * @param vma the mapping that the entry is for
   * @return false if the entry itself does not tell
   */
  public boolean marksEntries(Vma vma) {
    return usesSpecialBit || usesRefcountBit && (vma.flags() & VmaFlags.MIXEDMAP) != 0;
  }

  /**
   * Marks an entry that is not counted: with the special bit, and with the devmap bit if its page
   * frame came along with a region.
   *
   * @param first the entry, or the first of contiguous ones
   */
  long marked(long first) {
    return regionFrames == RegionFrames.DEVMAP && memory.frames().isOfRegion(layout.pfn(first))
        ? layout.withDevmap(first)
        : layout.withSpecial(first);
  }

  /** Whether entries for a page of a region count its page frame. */
  boolean countsRegionFrame(long pfn) {
    return regionFrames == RegionFrames.COUNTED && memory.frames().isOfRegion(pfn);
  }

  /**
   * Tells whether the special bit alone decides about entries of a mapping: then one test serves a
   * whole table. With any other strategy each entry is tested.
   */
  boolean trustsSpecialBit(Vma vma) {
    return usesSpecialBit && (vma.flags() & (VmaFlags.PFNMAP | VmaFlags.MIXEDMAP)) != 0;
  }

  /**
   * Tells whether a number has a page frame, by the strategy. An insertion asks it where there is
   * no special bit to set. Linux counterpart: {@code pfn_valid}.
   *
   * @param pfn a page frame number
   * @return what the strategy asks about a number inside MIXEDMAP; whether it is RAM if it asks the
   *     entry
   */
  public boolean pfnValid(long pfn) {
    return strategy.pfnValid(frames, pfn);
  }

  /**
   * Makes an empty address space.
   *
   * @param name its name, for diagnostics
   * @return the space, to be closed by its owner
   * @throws MapException ENOMEM if there is no frame for its root table
   */
  public AddressSpace newAddressSpace(String name) throws MapException {
    PageTable table = PageTable.create(memory.ram(), layout, this);
    if (table == null) {
      throw new MapException(Errno.ENOMEM, "new address space", "a free frame of RAM", "none");
    }
    AddressSpace space = new AddressSpace(new Mm(this, name, table));
    spaces.add(space);
    return space;
  }

  /** {@return the rules that the machine keeps where releases differ} */
  public Rules rules() {
    return rules;
  }

  /**
   * {@return file_rss of the machine in pages: the entries of all spaces that map frames of files}
   */
  public long fileFrames() {
    return counters.fileFrames();
  }

  /** {@return anon_rss of the machine in pages: the entries of all spaces for anonymous frames} */
  public long anonymousFrames() {
    return counters.anonymousFrames();
  }

  /** {@return the number of pages copied on write, of all spaces since the machine booted} */
  public long copies() {
    return counters.copies();
  }

  SpaceCounters counters() {
    return counters;
  }

  void reached(Step step) {
    hook.reached(step);
  }

  void stopWith(Step.Hook newHook) {
    hook = newHook;
  }

  SparsePage sparsePage() {
    return sparsePage;
  }

  ReverseMap reverseMap() {
    return reverseMap;
  }

  void forget(Mm mm) {
    spaces.removeIf(space -> space.mm() == mm);
  }

  /** The state of each address space that is not closed. */
  List<Mm> mms() {
    return spaces.stream().map(AddressSpace::mm).toList();
  }

  /** {@return the address spaces that are not closed} */
  public List<AddressSpace> spaces() {
    return new ArrayList<>(spaces);
  }

  /** {@return the machine's physical memory} */
  public PhysicalMemory memory() {
    return memory;
  }

  /** {@return the architecture's entry layout} */
  public EntryLayout layout() {
    return layout;
  }

  /** {@return the first address past every address space} Linux counterpart: {@code TASK_SIZE}. */
  public long addressLimit() {
    return layout.addressLimit();
  }

  /**
   * {@return the number of the last page frame with a record} Linux counterpart: {@code
   * highest_memmap_pfn}.
   */
  public long highestPfn() {
    return highestPfn;
  }

  /**
   * {@return the frame of zeros that anonymous memory shows until it is written} It is mapped
   * without being counted. Linux counterpart: {@code zero_pfn}.
   */
  public long zeroPfn() {
    return zeroPfn;
  }

  /** Whether a number is the zero page's, and the rules know such a page. */
  boolean isZeroPage(long pfn) {
    return hasZeroPage && pfn == zeroPfn;
  }

  /** {@return the frame of zeros that every hole shows} */
  public long sparsePfn() {
    return sparsePage.pfn();
  }

  /** {@return the reports of bad entries} */
  public BadEntries badEntries() {
    return badEntries;
  }

  /**
   * Takes the lock of the table page that a slot lies in. Linux counterpart: {@code pte_lockptr}.
   */
  void lockEntry(long slot) {
    LockOrder.take(LockOrder.Rank.ENTRY);
    long table = slot >>> Pages.SHIFT;
    while (!frames.tryLock(table)) {
      Thread.onSpinWait();
    }
    AtomicContext.enter(ENTRY_LOCK);
  }

  void unlockEntry(long slot) {
    AtomicContext.leave(ENTRY_LOCK);
    frames.unlock(slot >>> Pages.SHIFT);
    LockOrder.release(LockOrder.Rank.ENTRY);
  }

  @Override
  public long allocateTable(int pages) {
    return allocator.allocateRun(FrameUse.TABLE, pages);
  }

  @Override
  public long allocateTableToFill() {
    return allocator.allocateUncleared(FrameUse.TABLE);
  }

  @Override
  public void freeTable(long pfn) {
    allocator.put(pfn);
  }
}
