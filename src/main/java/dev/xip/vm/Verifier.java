package dev.xip.vm;

import dev.xip.base.Pages;
import dev.xip.mapping.PageRun;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Level;
import dev.xip.phys.FrameAllocator;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PageFrames;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongToIntFunction;

/**
 * Recomputes all counts from the page tables and compares: map and reference counts of every page
 * frame, the frames of each address space, tables and frames in use. Precondition: no other thread
 * changes an address space.
 *
 * <p>Lock held by the caller: none.
 */
public final class Verifier {
  private final MemoryManager manager;
  private final PageFrames frames;
  private final List<String> wrong = new ArrayList<>();
  private final int[] mappings;

  /** One reference for each table, at its first frame. */
  private final int[] tables;

  private long fileFrames;
  private long anonymousFrames;

  private Verifier(MemoryManager manager) {
    this.manager = manager;
    this.frames = manager.memory().frames();
    this.mappings = new int[Math.toIntExact(frames.limit())];
    this.tables = new int[mappings.length];
  }

  /**
   * Verifies a machine without pins: only entries and owners hold references to frames.
   *
   * @param manager its memory manager
   * @return what does not agree, one line each; empty if all is well
   */
  public static List<String> verify(MemoryManager manager) {
    return verify(manager, pfn -> 0);
  }

  /**
   * Verifies a machine.
   *
   * @param manager its memory manager
   * @param held how many further references to a frame there are, such as pins
   * @return what does not agree, one line each; empty if all is well
   */
  public static List<String> verify(MemoryManager manager, LongToIntFunction held) {
    Verifier verifier = new Verifier(manager);
    long reported = manager.badEntries().count();
    long tablePages = 0;
    for (Mm mm : manager.mms()) {
      verifier.checkSpace(mm);
      mm.table().forEachTable(pfn -> verifier.tables[(int) pfn]++);
      tablePages += mm.table().countTables();
    }
    verifier.checkFrames(held);
    FrameAllocator allocator = manager.memory().allocator();
    for (long pfn : allocator.refused()) {
      verifier.wrong.add("pfn 0x%x: freed as if it were RAM".formatted(pfn));
    }
    verifier.expect("frames used as tables", tablePages, allocator.inUse(FrameUse.TABLE));
    verifier.expect("file frames of the machine", verifier.fileFrames, manager.fileFrames());
    verifier.expect(
        "anonymous frames of the machine", verifier.anonymousFrames, manager.anonymousFrames());
    verifier.expect("bad entries met", reported, manager.badEntries().count());
    return verifier.wrong;
  }

  private void checkSpace(Mm mm) {
    EntryLayout layout = manager.layout();
    long[] found = new long[2];
    mm.table()
        .forEach(
            0,
            layout.addressLimit(),
            (va, level, slot, pte) -> {
              Vma vma = mm.find(va);
              if (vma == null) {
                wrong.add(
                    "%s: entry 0x%x at address 0x%x: expected a mapping there, found none"
                        .formatted(mm.name(), pte, va));
                return;
              }
              if (level != Level.PTE) {
                checkHuge(mm, vma, va, level, pte);
              } else if (frames.isSealed(slot >>> Pages.SHIFT)) {
                checkSealed(mm, va, pte);
              }
              long pfn = manager.normalFrame(vma, va, pte);
              if (pfn != MemoryManager.NO_FRAME) {
                checkCached(mm, vma, va, pfn);
                mappings[(int) pfn]++;
                found[frames.use(pfn) == FrameUse.ANONYMOUS ? 1 : 0]++;
                checkPlace(mm, vma, va, pfn);
              }
            });
    fileFrames += found[0];
    anonymousFrames += found[1];
    expect(mm.name() + ": file frames", found[0], mm.counters().fileFrames());
    expect(mm.name() + ": anonymous frames", found[1], mm.counters().anonymousFrames());
  }

  /** A huge leaf is special, protected against stores and shows pages of one mapping, in order. */
  private void checkHuge(Mm mm, Vma vma, long va, Level level, long pte) {
    EntryLayout layout = manager.layout();
    long bytes = 1L << layout.shift(level);
    if (!layout.isSpecial(pte, level)
        || layout.isWritable(pte)
        || !vma.isInPlace()
        || vma.range().end() - va < bytes) {
      wrong.add(
          "%s: huge leaf 0x%x at address 0x%x: expected a special one, not writable, inside %s"
              .formatted(mm.name(), pte, va, vma));
      return;
    }
    try {
      PageRun place = vma.file().translate(vma.pageAt(va));
      if (place.pfn() != layout.pfn(pte, level) || place.pages() < bytes >>> Pages.SHIFT) {
        wrong.add(
            "%s: huge leaf 0x%x at address 0x%x: expected a run of %s, found %s"
                .formatted(mm.name(), pte, va, vma.file().name(), place));
      }
    } catch (IOException e) {
      wrong.add("%s: huge leaf at address 0x%x: %s".formatted(mm.name(), va, e.getMessage()));
    }
  }

  /** A sealed table, not locked since fork copied it, has no counted and no writable entry. */
  private void checkSealed(Mm mm, long va, long pte) {
    if (!manager.layout().isSpecial(pte) || manager.layout().isWritable(pte)) {
      wrong.add(
          "%s: entry 0x%x at address 0x%x: expected a special one, not writable, in a sealed table"
              .formatted(mm.name(), pte, va));
    }
  }

  /** A frame of the page cache is mapped where the cache says that the page is. */
  private void checkCached(Mm mm, Vma vma, long va, long pfn) {
    if (vma.cache() != null
        && frames.use(pfn) != FrameUse.ANONYMOUS
        && vma.cache().frame(vma.pageAt(va)) != pfn) {
      wrong.add(
          "%s: pfn 0x%x at address 0x%x: expected pfn 0x%x, which the cache has for page 0x%x of %s"
              .formatted(
                  mm.name(),
                  pfn,
                  va,
                  vma.cache().frame(vma.pageAt(va)),
                  vma.pageAt(va),
                  vma.file().name()));
    }
  }

  /** The sparse page may only stand for a hole. */
  private void checkPlace(Mm mm, Vma vma, long va, long pfn) {
    if (pfn != manager.sparsePfn() || !vma.isInPlace()) {
      return;
    }
    try {
      if (!vma.file().translate(vma.pageAt(va)).isHole()) {
        wrong.add(
            "%s: sparse page at address 0x%x: expected a hole, found page 0x%x of %s with bytes"
                .formatted(mm.name(), va, vma.pageAt(va), vma.file().name()));
      }
    } catch (IOException e) {
      wrong.add("%s: sparse page at address 0x%x: %s".formatted(mm.name(), va, e.getMessage()));
    }
  }

  private void checkFrames(LongToIntFunction held) {
    for (int pfn = 0; pfn < mappings.length; pfn++) {
      if (!frames.contains(pfn)) {
        continue;
      }
      FrameUse use = frames.use(pfn);
      int owners =
          switch (use) {
            case FREE, ANONYMOUS, RESERVED -> 0;
            case DEVICE -> frames.regionFrames().idleReferences();
            case TABLE -> tables[pfn];
            case PAGE_CACHE, SPARSE, ZERO, KERNEL -> 1;
          };
      if (!frames.isRam(pfn) && use != FrameUse.DEVICE) {
        checkOutsideRam(pfn, use);
        continue;
      }
      if (frames.isSealed(pfn) && use != FrameUse.TABLE) {
        wrong.add("pfn 0x%x (%s): expected only tables to be sealed".formatted(pfn, use));
      }
      int references = mappings[pfn] + owners + held.applyAsInt(pfn);
      if (mappings[pfn] != frames.mappings(pfn) || references != frames.references(pfn)) {
        String frame = "pfn 0x%x (%s)".formatted(pfn, use);
        expect(frame + ": map count", mappings[pfn], frames.mappings(pfn));
        expect(frame + ": references", references, frames.references(pfn));
      }
    }
  }

  /** A frame that is no RAM has no count, but for the reference that reserves it. */
  private void checkOutsideRam(long pfn, FrameUse use) {
    int references = frames.references(pfn) - (use == FrameUse.RESERVED ? 1 : 0);
    if (frames.mappings(pfn) != 0 || references != 0) {
      wrong.add(
          "pfn 0x%x (%s): counted, but it is no RAM: map count %d, references %d"
              .formatted(pfn, use, frames.mappings(pfn), frames.references(pfn)));
    }
  }

  private void expect(String what, long expected, long found) {
    if (expected != found) {
      wrong.add("%s: expected %d, found %d".formatted(what, expected, found));
    }
  }
}
