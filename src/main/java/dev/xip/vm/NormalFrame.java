package dev.xip.vm;

import dev.xip.mapping.RefcountCallbacks;
import dev.xip.phys.MemoryModel;

/**
 * A way to decide whether a present entry has a page frame. Callers ask {@link
 * MemoryManager#normalFrame}, which calls the strategy when the bits of the entry do not decide.
 * Linux counterpart: the two halves of {@code vm_normal_page} (mm/memory.c).
 *
 * <p>All strategies give the same answers on the same history. They are records so that the
 * compiler may treat their fields as constant.
 *
 * <p>Lock held by the caller: usually an entry lock, so a strategy may not sleep.
 */
public sealed interface NormalFrame {
  /** {@return the strategy's name, such as {@code special bit} or {@code pfn_valid (flat)}} */
  String name();

  /**
   * Decides about one entry.
   *
   * @param manager the machine's memory manager
   * @param vma the mapping that the entry is in
   * @param va the address that the entry is for
   * @param pte a present entry
   * @return the frame number, or {@link MemoryManager#NO_FRAME} if nothing may be counted
   */
  long decide(MemoryManager manager, Vma vma, long va, long pte);

  /**
   * Tells whether a number has a page frame. Linux counterpart: {@code pfn_valid}.
   *
   * @param manager the machine's memory manager
   * @param pfn a page frame number
   * @return the answer of the strategy's memory model, or of the mem_map if it has none
   */
  default boolean pfnValid(MemoryManager manager, long pfn) {
    return manager.memory().frames().contains(pfn);
  }

  /**
   * The special bit of the entry decides: the outcome of the thread.
   *
   * @return the strategy
   */
  static NormalFrame specialBit() {
    return new SpecialBit();
  }

  /**
   * A memory model is asked about every entry, those of ordinary memory too. The thread started
   * from this state: 2.6.24, before the check became a debugging aid.
   *
   * @param model the model that answers
   * @return the strategy
   */
  static NormalFrame pfnValid(MemoryModel model) {
    return new PfnValid(model, true);
  }

  /**
   * A memory model is asked only about entries of mappings with MIXEDMAP. Architectures without a
   * special bit do this since 2.6.29.
   *
   * @param model the model that answers
   * @return the strategy
   */
  static NormalFrame pfnValidIfMixed(MemoryModel model) {
    return new PfnValid(model, false);
  }

  /**
   * The mapping's callbacks decide: the first proposal of the thread.
   *
   * @return the strategy
   */
  static NormalFrame refcountCallbacks() {
    return new Callbacks();
  }

  /** rules.md, "With the special bit", since 2.6.32: the flags count only if the bit is set. */
  record SpecialBit() implements NormalFrame {
    @Override
    public String name() {
      return "special bit";
    }

    @Override
    public long decide(MemoryManager manager, Vma vma, long va, long pte) {
      long pfn = manager.layout().pfn(pte);
      if (!manager.layout().isSpecial(pte)) {
        return plausible(manager, vma, va, pte, pfn);
      }
      if ((vma.flags() & (VmaFlags.PFNMAP | VmaFlags.MIXEDMAP)) == 0 && pfn != manager.zeroPfn()) {
        manager
            .badEntries()
            .report(vma, va, pte, "special entry in a mapping without MIXEDMAP and PFNMAP");
      }
      return MemoryManager.NO_FRAME;
    }
  }

  /**
   * rules.md, "Without the special bit", with a memory model.
   *
   * @param model the model that answers
   * @param everyEntry whether it is asked about entries of all mappings, not only mixed ones
   */
  record PfnValid(MemoryModel model, boolean everyEntry) implements NormalFrame {
    @Override
    public String name() {
      return (everyEntry ? "pfn_valid (%s)" : "pfn_valid if mixed (%s)").formatted(model.name());
    }

    @Override
    public long decide(MemoryManager manager, Vma vma, long va, long pte) {
      long pfn = manager.layout().pfn(pte);
      if ((vma.flags() & VmaFlags.MIXEDMAP) != 0) {
        return model.pfnValid(pfn) ? plausible(manager, vma, va, pte, pfn) : MemoryManager.NO_FRAME;
      }
      if (isRaw(vma, va, pfn) || pfn == manager.zeroPfn()) {
        return MemoryManager.NO_FRAME;
      }
      if (everyEntry && !model.pfnValid(pfn)) {
        manager.badEntries().report(vma, va, pte, "pfn_valid says no to pfn 0x%x".formatted(pfn));
        return MemoryManager.NO_FRAME;
      }
      return plausible(manager, vma, va, pte, pfn);
    }

    @Override
    public boolean pfnValid(MemoryManager manager, long pfn) {
      return model.pfnValid(pfn);
    }
  }

  /** rules.md, "Without the special bit", with the mapping's callback in place of pfn_valid. */
  record Callbacks() implements NormalFrame {
    @Override
    public String name() {
      return "refcount callbacks";
    }

    @Override
    public long decide(MemoryManager manager, Vma vma, long va, long pte) {
      long pfn = manager.layout().pfn(pte);
      if ((vma.flags() & VmaFlags.MIXEDMAP) != 0
          ? !isCounted(manager, vma, pfn)
          : isRaw(vma, va, pfn) || pfn == manager.zeroPfn()) {
        return MemoryManager.NO_FRAME;
      }
      return plausible(manager, vma, va, pte, pfn);
    }

    /**
     * A mapping without callbacks has the generic ones, which count every page that has a page
     * frame.
     */
    private boolean isCounted(MemoryManager manager, Vma vma, long pfn) {
      return vma.file() instanceof RefcountCallbacks own
          ? own.isCounted(pfn)
          : pfnValid(manager, pfn);
    }
  }

  /**
   * Whether PFNMAP excludes a page frame: the pfn is the linear one for the address, or the mapping
   * can hold no private copies.
   */
  private static boolean isRaw(Vma vma, long va, long pfn) {
    return (vma.flags() & VmaFlags.PFNMAP) != 0
        && (pfn == vma.pageAt(va) || !VmaFlags.isCow(vma.flags()));
  }

  /** The last step of both decision tables: a number past the mem_map is reported, not used. */
  private static long plausible(MemoryManager manager, Vma vma, long va, long pte, long pfn) {
    if (pfn <= manager.highestPfn()) {
      return pfn;
    }
    manager.badEntries().report(vma, va, pte, "pfn 0x%x has no page frame".formatted(pfn));
    return MemoryManager.NO_FRAME;
  }
}
