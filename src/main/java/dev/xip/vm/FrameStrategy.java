package dev.xip.vm;

import dev.xip.base.Pages;
import dev.xip.pagetable.EntryLayout;
import dev.xip.phys.CorrectedModel;
import dev.xip.phys.FlatModel;
import dev.xip.phys.IntendedModel;
import dev.xip.phys.ListLock;
import dev.xip.phys.LraModel;
import dev.xip.phys.MemoryModel;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.PostedModel;
import dev.xip.phys.RamBanks;
import dev.xip.phys.RefcountListModel;
import dev.xip.phys.SortedArrayModel;
import dev.xip.phys.SparseModel;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.LongFunction;

/**
 * The ways to decide whether an entry has a page frame that the thread of January 2008 weighed, in
 * the order in which they were put forward; those that it only talked of stand before the outcome.
 * The classes name the mails.
 *
 * <p>Lock held by the caller: none needed.
 */
public enum FrameStrategy {
  /** s390's own pfn_valid, about every entry: is there memory? */
  LRA("lra", Outcome.WRONG, byEnd(LraModel::new), NormalFrame::pfnValid),
  /** A mark on the list of memory, inside MIXEDMAP (21 December 2007, 8 January). */
  REFCOUNT_PFN(
      "mixedmap-refcount-pfn",
      Outcome.SLEEPS,
      byEnd(RefcountListModel::new),
      model -> NormalFrame.refcountPfn((RefcountListModel) model)),
  /** The architecture's callbacks on the entry, by a bit as on s390 (9 January). */
  REFCOUNT_PTE_BIT(
      "refcount-pte-bit", Outcome.WORKS, byEnd(LraModel::new), NormalFrame::refcountPteBit),
  /** The architecture's callbacks on the entry, by pfn_valid as on ARM (9 January). */
  REFCOUNT_PTE_PFN_VALID(
      "refcount-pte-pfn-valid",
      Outcome.WORKS,
      byEnd(maxPfn -> new FlatModel()),
      NormalFrame::refcountPtePfnValid),
  /** pfn_valid through the list, as posted (15 January). */
  MEM_SEGS_POSTED(
      "mem-segs-posted",
      Outcome.WRONG,
      byEnd(maxPfn -> new PostedModel(maxPfn, ListLock.MUTEX)),
      NormalFrame::pfnValid),
  /** The same with its range test put right. */
  MEM_SEGS_CORRECTED(
      "mem-segs-corrected",
      Outcome.WRONG,
      byEnd(maxPfn -> new CorrectedModel(maxPfn, ListLock.MUTEX)),
      NormalFrame::pfnValid),
  /** What it was meant to say, under the mutex. */
  MEM_SEGS_MUTEX(
      "mem-segs-mutex",
      Outcome.SLEEPS,
      byEnd(maxPfn -> new IntendedModel(maxPfn, ListLock.MUTEX)),
      NormalFrame::pfnValid),
  /** The same under a spin lock. */
  MEM_SEGS_SPIN_LOCK(
      "mem-segs-spin-lock",
      Outcome.WORKS,
      byEnd(maxPfn -> new IntendedModel(maxPfn, ListLock.SPIN_LOCK)),
      NormalFrame::pfnValid),
  /** pfn_valid is a comparison, about every entry. */
  FLAT("flat", Outcome.WORKS, byEnd(maxPfn -> new FlatModel()), NormalFrame::pfnValid),
  /** pfn_valid looks a section up, of the architecture's size, about every entry. */
  SPARSE(
      "sparse",
      Outcome.WORKS,
      (maxPfn, layout) -> new SparseModel(layout.sectionBits()),
      NormalFrame::pfnValid),
  /** pfn_valid searches the segments in an array that is copied on write, about every entry. */
  SORTED_ARRAY("sorted-array", Outcome.WORKS, byEnd(SortedArrayModel::new), NormalFrame::pfnValid),
  /** pfn_valid is a comparison, inside MIXEDMAP alone: what mainline kept without the bit. */
  FLAT_IF_MIXED(
      "flat-if-mixed",
      Outcome.WORKS,
      byEnd(maxPfn -> new FlatModel()),
      NormalFrame::pfnValidIfMixed),
  /** The special bit of the entry decides: what mainline kept. */
  SPECIAL_BIT("special-bit", Outcome.WORKS, null, model -> NormalFrame.specialBit());

  /** Whether a machine with the strategy works. */
  public enum Outcome {
    /** It runs, {@link #FLAT} and {@link #SPARSE} unless a segment lies where they expect RAM. */
    WORKS,
    /** The answers are right, but a question under an entry lock may sleep. */
    SLEEPS,
    /** Answers are wrong on a healthy machine. */
    WRONG
  }

  /** Makes a memory model, from the first frame number that the machine cannot have. */
  private interface NewModel {
    MemoryModel of(long maxPfn, EntryLayout layout);
  }

  private final String label;
  private final Outcome outcome;
  private final NewModel newModel;
  private final Function<MemoryModel, NormalFrame> by;

  FrameStrategy(
      String label, Outcome outcome, NewModel newModel, Function<MemoryModel, NormalFrame> by) {
    this.label = label;
    this.outcome = outcome;
    this.newModel = newModel;
    this.by = by;
  }

  private static NewModel byEnd(LongFunction<MemoryModel> make) {
    return (maxPfn, layout) -> make.apply(maxPfn);
  }

  /**
   * Finds a strategy by its name.
   *
   * @param label such as {@code mem-segs-mutex}
   * @return the strategy
   * @throws IllegalArgumentException if there is none of that name; the message lists the names
   */
  public static FrameStrategy named(String label) {
    return Names.find("strategy", label, values());
  }

  /** {@return the strategies with which a machine runs} */
  public static List<FrameStrategy> working() {
    return Arrays.stream(values()).filter(each -> each.outcome == Outcome.WORKS).toList();
  }

  /** {@return the strategies whose answers are right: those that work and those that sleep} */
  public static List<FrameStrategy> answeringRight() {
    return Arrays.stream(values()).filter(each -> each.outcome != Outcome.WRONG).toList();
  }

  /**
   * Returns the strategies that a layout can have.
   *
   * @param layout an architecture's entries
   * @return all, or those that need no bit in the entry
   */
  public static List<FrameStrategy> possibleWith(EntryLayout layout) {
    return Arrays.stream(values()).filter(each -> each.fits(layout)).toList();
  }

  /** {@return whether a machine with the strategy works, and if not, why} */
  public Outcome outcome() {
    return outcome;
  }

  /** {@return whether it marks entries with a bit, and asks the entry inside MIXEDMAP} */
  public boolean needsBit() {
    return this == SPECIAL_BIT || this == REFCOUNT_PTE_BIT;
  }

  /**
   * Tells whether a layout can have the strategy.
   *
   * @param layout an architecture's entries
   * @return false if it needs a bit that they lack
   */
  public boolean fits(EntryLayout layout) {
    return layout.hasSpecialBit() || !needsBit();
  }

  /**
   * Makes the mem_map that the strategy needs: in sections of the architecture's size if it looks
   * sections up.
   *
   * @param banks where RAM lies
   * @param layout the architecture's entries
   * @return the same banks, for {@link PhysicalMemory#boot}
   */
  public RamBanks memMap(RamBanks banks, EntryLayout layout) {
    return this == SPARSE ? banks.inSections(layout.sectionBits()) : banks;
  }

  /**
   * Makes the strategy for a machine. A memory model that it needs is made and attached.
   *
   * @param memory the machine's physical memory
   * @param layout the architecture's entries
   * @return the strategy, for the constructor of {@link MemoryManager}
   */
  public NormalFrame on(PhysicalMemory memory, EntryLayout layout) {
    MemoryModel model = newModel(memory, layout).orElse(null);
    if (model != null) {
      memory.attach(model);
    }
    return by(model);
  }

  /**
   * Makes the strategy's memory model, not yet initialised: its state early in boot.
   *
   * @param memory the machine's physical memory; the model is not attached to it
   * @param layout the architecture's entries
   * @return the model, or empty if the strategy has none
   */
  public Optional<MemoryModel> newModel(PhysicalMemory memory, EntryLayout layout) {
    return Optional.ofNullable(newModel)
        .map(make -> make.of(memory.windowBytes() >>> Pages.SHIFT, layout));
  }

  /**
   * Makes the strategy with a memory model of a caller's own.
   *
   * @param model one that {@link #newModel} made; null if the strategy has none
   * @return the strategy
   */
  public NormalFrame by(MemoryModel model) {
    return by.apply(model);
  }

  /**
   * Names the strategy as the command line does.
   *
   * @return such as {@code mem-segs-mutex}
   */
  @Override
  public String toString() {
    return label;
  }
}
