package dev.xip.linux;

import dev.xip.base.Pages;
import dev.xip.file.CachedFile;
import dev.xip.file.InPlaceFile;
import dev.xip.host.Libxip;
import dev.xip.host.WalkResult;
import dev.xip.pagetable.EntryLayout;
import dev.xip.phys.FrameAllocator;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PageFrames;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.MemoryManager;
import dev.xip.vm.SpaceMaps;
import dev.xip.vm.Verifier;
import dev.xip.vm.Vma;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.Consumer;

/**
 * Checks the memory of a run: that no page of the image has a frame unless it was copied or is in a
 * page cache, by the entries as Java and as C read them; and that all counts are after the end what
 * they were before the start. For any thread.
 */
final class Audit {
  private static final int MOST_LINES = 20;

  private final MemoryManager manager;
  private final EntryLayout layout;
  private final PageFrames frames;
  private final FrameAllocator allocator;
  private final Consumer<String> maps;
  private final long memMapBytes;
  private final long copies;
  private final long[] inUse = new long[FrameUse.values().length];
  private final List<String> wrong = new ArrayList<>();
  private final BitSet textFrames = new BitSet();
  private long special;
  private long specialText;
  private long cached;
  private RunAccount.Frames most;

  /**
   * Notes the counts before the start.
   *
   * @param maps takes the mappings of each address space as text; null for none
   */
  Audit(MemoryManager manager, Consumer<String> maps) {
    this.manager = manager;
    this.layout = manager.layout();
    this.frames = manager.memory().frames();
    this.allocator = manager.memory().allocator();
    this.maps = maps;
    this.memMapBytes = frames.bytes();
    this.copies = manager.copies();
    for (FrameUse use : FrameUse.values()) {
      inUse[use.ordinal()] = allocator.inUse(use);
    }
    this.most = now();
  }

  private RunAccount.Frames now() {
    return new RunAccount.Frames(
        allocator.inUse(FrameUse.ANONYMOUS),
        allocator.inUse(FrameUse.PAGE_CACHE),
        allocator.inUse(FrameUse.TABLE));
  }

  /** Looks how many frames are in use. */
  synchronized void sample() {
    RunAccount.Frames now = now();
    if (now.all() > most.all()) {
      most = now;
    }
  }

  /**
   * Looks at an address space before it is closed. Precondition: no processor uses it.
   *
   * @param task the name of its task, for messages
   * @param alone whether it is the only address space
   */
  synchronized void look(AddressSpace space, String task, boolean alone) {
    sample();
    if (maps != null) {
      maps.accept("%s%n%s".formatted(task, SpaceMaps.smaps(space)));
    }
    BitSet anonymous = new BitSet();
    for (Vma vma : space.vmas()) {
      look(space, vma, task, anonymous);
    }
    if (alone) {
      expect("anonymous frames", anonymous.cardinality(), allocator.inUse(FrameUse.ANONYMOUS));
      expect("tables", space.table().countTables(), allocator.inUse(FrameUse.TABLE));
    }
  }

  private void look(AddressSpace space, Vma vma, String task, BitSet anonymous) {
    boolean inPlace = vma.file() instanceof InPlaceFile;
    boolean ofImage = inPlace || vma.file() instanceof CachedFile file && !file.isWritable();
    List<long[]> entries = new ArrayList<>();
    space
        .table()
        .forEach(
            vma.range().start(),
            vma.range().end(),
            (va, level, slot, pte) -> {
              boolean bit = layout.isSpecial(pte, level);
              entries.add(new long[] {va, pte, bit ? 1 : 0});
              long pfn = layout.pfn(pte, level);
              boolean counted = frames.isRam(pfn) && pfn != manager.zeroPfn();
              if (manager.usesSpecialBit() && layout.isPresent(pte) && bit == counted) {
                wrong("%s: address 0x%x: entry 0x%x for pfn 0x%x", task, va, pte, pfn);
              }
              if (counted) {
                counted(task, vma, va, (int) pfn, inPlace, ofImage);
                anonymous.set((int) pfn, frames.use(pfn) == FrameUse.ANONYMOUS);
              } else if (inPlace) {
                long pages = 1L << (layout.shift(level) - Pages.SHIFT);
                special += pages;
                specialText += isText(vma) ? pages : 0;
              }
            });
    if (inPlace) {
      compare(space, vma, task, entries);
    }
  }

  private static boolean isText(Vma vma) {
    return vma.access().execute() && !vma.access().write();
  }

  /** An entry for a frame: of the image only a copy, the page of a hole, or the page cache's. */
  private void counted(String task, Vma vma, long va, int pfn, boolean inPlace, boolean ofImage) {
    FrameUse use = frames.use(pfn);
    boolean text = ofImage && isText(vma) && use != FrameUse.SPARSE;
    cached += ofImage && use == FrameUse.PAGE_CACHE ? 1 : 0;
    textFrames.set(pfn, textFrames.get(pfn) || text);
    if (inPlace && (text || use != FrameUse.ANONYMOUS && use != FrameUse.SPARSE)) {
      wrong(
          "%s: address 0x%x of %s: expected no frame, found pfn 0x%x (%s)",
          task, va, vma.file().name(), pfn, use);
    }
  }

  /** Compares with what C reads in the same tables. */
  private void compare(AddressSpace space, Vma vma, String task, List<long[]> ours) {
    List<WalkResult> theirs =
        Libxip.get()
            .dump(
                manager.memory().ram().asReadOnly(),
                layout.abiNumber(),
                space.table().root(),
                vma.range());
    if (ours.size() != theirs.size()) {
      wrong(
          "%s: %s: Java reads %d entries, C %d",
          task, vma.file().name(), ours.size(), theirs.size());
      return;
    }
    for (int i = 0; i < ours.size(); i++) {
      long[] mine = ours.get(i);
      WalkResult other = theirs.get(i);
      if (mine[0] != other.va() || mine[1] != other.pte() || mine[2] == 1 != other.special()) {
        wrong(
            "%s: address 0x%x of %s: Java reads entry 0x%x, C 0x%x at address 0x%x",
            task, mine[0], vma.file().name(), mine[1], other.pte(), other.va());
      }
    }
  }

  /** Compares the counts with those before the start. Precondition: no task is left. */
  synchronized RunAccount end(Tally total, long nanos) {
    Verifier.verify(manager).forEach(line -> wrong("%s", line));
    for (FrameUse use : FrameUse.values()) {
      // Processors stay in their pool, and files in RAM until their file system is closed.
      if (use != FrameUse.KERNEL && use != FrameUse.PAGE_CACHE) {
        expect(
            "frames in use as before the start, " + use,
            inUse[use.ordinal()],
            allocator.inUse(use));
      }
    }
    expect("bytes of the mem_map as before the start", memMapBytes, frames.bytes());
    return new RunAccount(
        total.exits(),
        total.faults(),
        new RunAccount.Entries(special, specialText, cached, textFrames.cardinality()),
        most,
        now(),
        manager.copies() - copies,
        total.flushes(),
        total.tableStores(),
        total.userNanos(),
        nanos,
        wrong);
  }

  private void expect(String what, long expected, long found) {
    if (expected != found) {
      wrong("%s: expected %d, found %d", what, expected, found);
    }
  }

  private void wrong(String format, Object... arguments) {
    if (wrong.size() < MOST_LINES) {
      wrong.add(format.formatted(arguments));
    }
  }
}
