package dev.xip.vm;

import dev.xip.base.Pages;
import dev.xip.phys.FlatModel;
import dev.xip.phys.MemoryModel;
import dev.xip.phys.MutexListModel;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.SortedArrayModel;
import dev.xip.phys.SparseModel;
import dev.xip.phys.SpinListModel;
import java.util.Optional;
import java.util.function.LongFunction;

/**
 * The ways to decide whether an entry has a page frame that the thread of January 2008 weighed.
 *
 * <p>Lock held by the caller: none needed.
 */
public enum FrameStrategy {
  /** The special bit of the entry decides. */
  SPECIAL_BIT("special-bit", null),
  /** pfn_valid is a comparison. */
  FLAT("flat", maxPfn -> new FlatModel()),
  /** pfn_valid looks a section up. */
  SPARSE("sparse", maxPfn -> new SparseModel(SparseModel.SECTION_BITS_128_MIB)),
  /** pfn_valid searches the segments in an array that is copied on write. */
  SORTED_ARRAY("sorted-array", SortedArrayModel::new),
  /** pfn_valid walks the segments under a spin lock. */
  LIST_SPIN_LOCK("list-spin-lock", SpinListModel::new),
  /** pfn_valid walks the segments under a mutex, which is wrong: it may sleep. */
  LIST_MUTEX("list-mutex", MutexListModel::new),
  /** The refcount callbacks of the mapping decide. */
  REFCOUNT_CALLBACKS("refcount-callbacks", null);

  private final String label;
  private final LongFunction<MemoryModel> newModel;

  FrameStrategy(String label, LongFunction<MemoryModel> newModel) {
    this.label = label;
    this.newModel = newModel;
  }

  /**
   * Makes the strategy for a machine. A memory model that it needs is made and initialised.
   *
   * @param memory the machine's physical memory
   * @return the strategy, for the constructor of {@link MemoryManager}
   */
  public NormalFrame on(PhysicalMemory memory) {
    if (newModel == null) {
      return this == SPECIAL_BIT ? NormalFrame.specialBit() : NormalFrame.refcountCallbacks();
    }
    MemoryModel model = newModel.apply(memory.windowBytes() >>> Pages.SHIFT);
    memory.attach(model);
    return NormalFrame.pfnValid(model);
  }

  /**
   * Makes the strategy's memory model, not yet initialised: its state early in boot.
   *
   * @param memory the machine's physical memory; the model is not attached to it
   * @return the model, or empty if the strategy has none
   */
  public Optional<MemoryModel> newUninitializedModel(PhysicalMemory memory) {
    return Optional.ofNullable(newModel)
        .map(make -> make.apply(memory.windowBytes() >>> Pages.SHIFT));
  }

  /**
   * Names the strategy as the command line does.
   *
   * @return such as {@code list-mutex}
   */
  @Override
  public String toString() {
    return label;
  }
}
