package dev.xip.vm;

import dev.xip.phys.MemoryModel;
import dev.xip.phys.PageFrames;
import dev.xip.phys.RefcountListModel;

/**
 * A way to decide whether a present entry has a page frame. Callers ask {@link
 * MemoryManager#normalFrame}, which calls the strategy when the bits of the entry do not decide.
 * Linux counterpart: the two halves of {@code vm_normal_page} (mm/memory.c).
 *
 * <p>Those that work give the same answers on the same history ({@link FrameStrategy#outcome}).
 * They are records so that the compiler may treat their fields as constant.
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
   * @param frames the machine's mem_map
   * @param pfn a page frame number
   * @return the answer of what the strategy asks about a number inside MIXEDMAP; whether it is RAM,
   *     or of a region that brought page frames along, if it asks the entry there
   */
  default boolean pfnValid(PageFrames frames, long pfn) {
    return frames.isRam(pfn) || frames.isOfRegion(pfn);
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
   * special bit do this since 2.6.26.
   *
   * @param model the model that answers
   * @return the strategy
   */
  static NormalFrame pfnValidIfMixed(MemoryModel model) {
    return new PfnValid(model, false);
  }

  /**
   * A mark on the list of memory chunks is asked about entries of mappings with MIXEDMAP.
   *
   * @param list the list
   * @return the strategy
   */
  static NormalFrame refcountPfn(RefcountListModel list) {
    return new RefcountPfn(list);
  }

  /**
   * The architecture's callbacks by a bit, as proposed for s390.
   *
   * @param model answers about entries of mappings without MIXEDMAP
   * @return the strategy
   */
  static NormalFrame refcountPteBit(MemoryModel model) {
    return new RefcountPteBit(model);
  }

  /**
   * The architecture's callbacks by pfn_valid, as proposed for ARM.
   *
   * @param model answers about all entries
   * @return the strategy
   */
  static NormalFrame refcountPtePfnValid(MemoryModel model) {
    return new RefcountPtePfnValid(model);
  }

  /**
   * rules.md, "With the special bit", since 2.6.32: the flags count only if the bit is set. The bit
   * was first suggested on 21 December 2007 (in 20071221104701.GE28484@wotan.suse.de and its
   * answers), proposed for several architectures on 7 January 2008
   * (20080107044355.GA11222@wotan.suse.de) and merged in 2.6.26
   * (20080328015422.015000000@nick.local0.net). Linux counterpart: {@code pte_special}.
   */
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
      if ((vma.flags() & (VmaFlags.PFNMAP | VmaFlags.MIXEDMAP)) == 0
          && !manager.isZeroPage(pfn)
          && !manager.layout().isGuard(pte)) {
        manager
            .badEntries()
            .report(vma, va, pte, "special entry in a mapping without MIXEDMAP and PFNMAP");
      }
      return MemoryManager.NO_FRAME;
    }
  }

  /**
   * rules.md, "Without the special bit", with a memory model. About every entry: 2.6.24, and the
   * patch of 15 January 2008 (1200402350.27120.28.camel@cotte.boeblingen.de.ibm.com), by the model
   * that the patch adds. Inside MIXEDMAP alone: 16 January (20080116142915.GA19162@wotan.suse.de),
   * merged in 2.6.26 for architectures without the bit.
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
      return outsideMixed(everyEntry ? model : null, manager, vma, va, pte, pfn);
    }

    @Override
    public boolean pfnValid(PageFrames frames, long pfn) {
      return model.pfnValid(pfn);
    }
  }

  /**
   * {@code mixedmap_refcount_pfn} (21 December 2007, 20071221104701.GE28484@wotan.suse.de; 8
   * January 2008, 1199784963.25114.31.camel@cotte.boeblingen.de.ibm.com): inside MIXEDMAP the walk
   * of the list decides, elsewhere all stays as in 2.6.24. Linux counterpart: {@code
   * vm_normal_page} of 1199784956.25114.28.camel@cotte.boeblingen.de.ibm.com.
   *
   * @param list the list, which also answers pfn_valid
   */
  record RefcountPfn(RefcountListModel list) implements NormalFrame {
    @Override
    public String name() {
      return list.name();
    }

    @Override
    public long decide(MemoryManager manager, Vma vma, long va, long pte) {
      long pfn = manager.layout().pfn(pte);
      if ((vma.flags() & VmaFlags.MIXEDMAP) == 0) {
        return outsideMixed(list, manager, vma, va, pte, pfn);
      }
      return list.mixedmapRefcountPfn(pfn)
          ? plausible(manager, vma, va, pte, pfn)
          : MemoryManager.NO_FRAME;
    }

    @Override
    public boolean pfnValid(PageFrames frames, long pfn) {
      return list.mixedmapRefcountPfn(pfn);
    }
  }

  /**
   * {@code mixedmap_refcount_pte} as proposed for s390 on 9 January 2008
   * (1199891645.28689.22.camel@cotte.boeblingen.de.ibm.com): a bit of the entry, set by {@code
   * pte_set_norefcount} when an entry without a page frame is made in a mapping with MIXEDMAP, and
   * asked there alone. Its place and value, {@code _PAGE_NOREFCNT} 0x004, became the special bit's;
   * here too it is the layout's special bit. Linux counterpart: {@code pte_set_norefcount}, {@code
   * mixedmap_refcount_pte} of that mail.
   *
   * @param model s390's pfn_valid, asked outside MIXEDMAP as in 2.6.24
   */
  record RefcountPteBit(MemoryModel model) implements NormalFrame {
    @Override
    public String name() {
      return "mixedmap_refcount_pte, bit";
    }

    @Override
    public long decide(MemoryManager manager, Vma vma, long va, long pte) {
      long pfn = manager.layout().pfn(pte);
      if ((vma.flags() & VmaFlags.MIXEDMAP) == 0) {
        return outsideMixed(model, manager, vma, va, pte, pfn);
      }
      return manager.layout().isSpecial(pte)
          ? MemoryManager.NO_FRAME
          : plausible(manager, vma, va, pte, pfn);
    }
  }

  /**
   * {@code mixedmap_refcount_pte} as proposed for ARM on 9 January 2008
   * (1199891645.28689.22.camel@cotte.boeblingen.de.ibm.com): {@code pfn_valid(pte_pfn(pte))}, and
   * {@code pte_set_norefcount} does nothing. The answers are those of {@link PfnValid} about every
   * entry.
   *
   * @param model ARM's pfn_valid
   */
  record RefcountPtePfnValid(MemoryModel model) implements NormalFrame {
    @Override
    public String name() {
      return "mixedmap_refcount_pte, pfn_valid";
    }

    @Override
    public long decide(MemoryManager manager, Vma vma, long va, long pte) {
      long pfn = manager.layout().pfn(pte);
      if ((vma.flags() & VmaFlags.MIXEDMAP) == 0) {
        return outsideMixed(model, manager, vma, va, pte, pfn);
      }
      return model.pfnValid(pfn) ? plausible(manager, vma, va, pte, pfn) : MemoryManager.NO_FRAME;
    }

    @Override
    public boolean pfnValid(PageFrames frames, long pfn) {
      return model.pfnValid(pfn);
    }
  }

  /**
   * The decision outside MIXEDMAP.
   *
   * @param model is asked about every entry, as in 2.6.24; null if no model is
   */
  private static long outsideMixed(
      MemoryModel model, MemoryManager manager, Vma vma, long va, long pte, long pfn) {
    if (isRaw(vma, va, pfn) || manager.isZeroPage(pfn)) {
      return MemoryManager.NO_FRAME;
    }
    if (model != null && !model.pfnValid(pfn)) {
      manager.badEntries().report(vma, va, pte, "pfn_valid says no to pfn 0x%x".formatted(pfn));
      return MemoryManager.NO_FRAME;
    }
    return plausible(manager, vma, va, pte, pfn);
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
    if (pfn <= manager.highestPfn() || manager.memory().frames().isOfRegion(pfn)) {
      return pfn;
    }
    manager.badEntries().report(vma, va, pte, "pfn 0x%x has no page frame".formatted(pfn));
    return MemoryManager.NO_FRAME;
  }
}
