package dev.xip.vm;

import dev.xip.base.Pages;
import dev.xip.pagetable.EntryLayout;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PageFrames;
import java.util.function.Function;

/**
 * Prints the mappings of an address space with counts of their entries, for diagnostics. Linux
 * counterpart: {@code show_smap} (fs/proc/task_mmu.c). Unlike there, entries without a page frame
 * are counted on a line of their own, Special; Rss counts the others.
 *
 * <p>Lock held by the caller: none; it takes the map lock, shared.
 */
public final class SpaceMaps {
  /** Parts of a page that a share is counted in, as a power of two: PSS_SHIFT. */
  private static final int SHARE_BITS = 12;

  /** The counts of one mapping, in pages. */
  private static final class Counts {
    long special;

    /** The proportional share, in parts of a page. */
    long share;

    long anonymous;
    long sharedClean;
    long sharedDirty;
    long privateClean;
    long privateDirty;

    long resident() {
      return sharedClean + sharedDirty + privateClean + privateDirty;
    }
  }

  private final AddressSpace space;
  private final MemoryManager manager;
  private final EntryLayout layout;
  private final PageFrames frames;

  private SpaceMaps(AddressSpace space) {
    this.space = space;
    this.manager = space.manager();
    this.layout = manager.layout();
    this.frames = manager.memory().frames();
  }

  /**
   * Prints the mappings as /proc/PID/smaps does, sizes in kB. A frame is shared if more than one
   * entry maps it.
   *
   * @param space an address space
   * @return for each mapping its line of /proc/PID/maps, then one line for each count; every line
   *     ends with a newline
   */
  public static String smaps(AddressSpace space) {
    return smaps(space, Vma::toString);
  }

  /**
   * The same with other first lines.
   *
   * @param space an address space
   * @param line makes the first line of a mapping; it does not change mappings
   * @return the lines
   */
  public static String smaps(AddressSpace space, Function<Vma, String> line) {
    SpaceMaps maps = new SpaceMaps(space);
    StringBuilder text = new StringBuilder();
    long stamp = space.mm().lockShared();
    try {
      for (Vma vma : space.vmas()) {
        text.append(line.apply(vma)).append('\n');
        maps.append(text, vma);
      }
    } finally {
      space.mm().unlockShared(stamp);
    }
    return text.toString();
  }

  private void append(StringBuilder text, Vma vma) {
    Counts counts = new Counts();
    space
        .table()
        .forEach(
            vma.range().start(),
            vma.range().end(),
            (va, level, slot, pte) ->
                count(counts, vma, va, pte, 1L << (layout.shift(level) - Pages.SHIFT)));
    line(text, "Size", vma.range().length() >>> Pages.SHIFT);
    line(text, "Rss", counts.resident());
    line(text, "Pss", counts.share >> SHARE_BITS);
    line(text, "Special", counts.special);
    line(text, "Shared_Clean", counts.sharedClean);
    line(text, "Shared_Dirty", counts.sharedDirty);
    line(text, "Private_Clean", counts.privateClean);
    line(text, "Private_Dirty", counts.privateDirty);
    line(text, "Anonymous", counts.anonymous);
    text.append("VmFlags: ").append(VmaFlags.letters(vma.flags())).append('\n');
  }

  private void count(Counts counts, Vma vma, long va, long pte, long pages) {
    if (!layout.isPresent(pte)) {
      return;
    }
    long pfn = manager.normalFrame(vma, va, pte);
    if (pfn == MemoryManager.NO_FRAME) {
      counts.special += pages;
      return;
    }
    boolean dirty = layout.isDirty(pte);
    counts.share += (pages << SHARE_BITS) / Math.max(frames.mappings(pfn), 1);
    if (frames.mappings(pfn) > 1) {
      counts.sharedDirty += dirty ? pages : 0;
      counts.sharedClean += dirty ? 0 : pages;
    } else {
      counts.privateDirty += dirty ? pages : 0;
      counts.privateClean += dirty ? 0 : pages;
    }
    if (frames.use(pfn) == FrameUse.ANONYMOUS) {
      counts.anonymous += pages;
    }
  }

  private static void line(StringBuilder text, String name, long pages) {
    text.append("%-16s%8d kB\n".formatted(name + ":", pages * (Pages.SIZE >> 10)));
  }
}
