package dev.xip.measure;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.LockOrder;
import dev.xip.base.Pages;
import dev.xip.base.ProgressListener;
import dev.xip.base.SleepingInAtomicException;
import dev.xip.base.SpinLock;
import dev.xip.pagetable.EntryLayout;
import dev.xip.phys.BootStep;
import dev.xip.phys.MemoryModel;
import dev.xip.phys.PhysicalMemory;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MapRequest;
import dev.xip.vm.MemoryManager;
import dev.xip.vm.Vma;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Applies every strategy of the normal-page test to the same cases: an entry of a segment and
 * entries of RAM, under a spin lock as in fork and exit, while a machine boots, and in a process
 * that reads segments near RAM on a machine with two banks.
 */
public final class StrategyTable {
  private static final int SEGMENTS = 64;

  /** The answer about an entry. */
  public enum Answer {
    /** It has a page frame, which is counted. */
    COUNTED("counted"),
    /** It has none, and nothing is counted. */
    NO_FRAME("no frame"),
    /** A page frame was expected that does not exist, or none where there is one: reported. */
    BAD_ENTRY("bad entry");

    private final String label;

    Answer(String label) {
      this.label = label;
    }

    /**
     * Asks a machine about an entry.
     *
     * @param manager its memory manager
     * @param vma a mapping
     * @param pte an entry for its first page
     * @return the answer
     */
    public static Answer of(MemoryManager manager, Vma vma, long pte) {
      long reports = manager.badEntries().count();
      if (manager.normalFrame(vma, vma.range().start(), pte) != MemoryManager.NO_FRAME) {
        return COUNTED;
      }
      return manager.badEntries().count() == reports ? NO_FRAME : BAD_ENTRY;
    }

    @Override
    public String toString() {
      return label;
    }
  }

  /**
   * The results of one strategy.
   *
   * @param strategy its name
   * @param segment the answer about an entry of a segment; right is no frame
   * @param ram the answer about an entry of RAM; right is counted
   * @param nanos the nanoseconds of a test with 64 segments loaded; NaN if answers are wrong
   * @param underLock what the kernel would print for tests under a spin lock; empty if they work
   * @param breaks how it breaks, each in a few words; at least one
   */
  public record Line(
      String strategy,
      Answer segment,
      Answer ram,
      double nanos,
      String underLock,
      List<String> breaks) {
    /** Copies the list. */
    public Line {
      breaks = List.copyOf(breaks);
    }
  }

  private StrategyTable() {}

  /**
   * Tests all strategies.
   *
   * @param layout entries with a special bit
   * @return one line for each strategy
   * @throws IOException if the host does not give the address space
   */
  public static List<Line> ask(EntryLayout layout) throws IOException {
    List<BenchRow> costs =
        NormalPageBench.run(
            layout,
            FrameStrategy.answeringRight(),
            new int[] {SEGMENTS},
            new int[] {1},
            ProgressListener.NONE);
    List<BootTable.Row> boot = BootTable.of(layout);
    List<Line> lines = new ArrayList<>();
    for (FrameStrategy strategy : FrameStrategy.values()) {
      double nanos =
          costs.stream()
              .filter(row -> row.strategy().equals(strategy.toString()))
              .mapToDouble(BenchRow::median)
              .findFirst()
              .orElse(Double.NaN);
      try (NormalPageMachine machine = NormalPageMachine.boot(layout, SEGMENTS)) {
        lines.add(ask(machine, strategy, nanos, boot.get(strategy.ordinal())));
      }
    }
    return lines;
  }

  private static Line ask(
      NormalPageMachine machine, FrameStrategy strategy, double nanos, BootTable.Row boot)
      throws IOException {
    MemoryModel model = strategy.newModel(machine.memory(), machine.layout()).orElse(null);
    if (model != null) {
      machine.memory().attach(model);
    }
    MemoryManager manager = machine.manager(strategy.by(model));
    Answer segment = ofSegment(machine, manager);
    Answer ram = ofRam(machine, manager);
    String underLock = underSpinLock(() -> ofRam(machine, manager));
    List<String> breaks = new ArrayList<>();
    if (segment != Answer.NO_FRAME) {
      breaks.add("counts segments in page frames that do not exist");
    }
    if (ram != Answer.COUNTED) {
      breaks.add("takes all RAM for shared segments");
    }
    if (!underLock.isEmpty()) {
      breaks.add("sleeps under a spin lock");
    } else if (model != null && model.chunksWalked() > 0) {
      breaks.add(
          "takes a lock and walks up to %d chunks for each entry".formatted(model.chunksWalked()));
    }
    if (segment == Answer.NO_FRAME && isWrongTooEarly(boot)) {
      breaks.add("too early: takes what is not on its list for RAM");
    }
    if (strategy.outcome() == FrameStrategy.Outcome.WORKS) {
      for (BootTable.Place place : BootTable.Place.values()) {
        addHarm(strategy, machine.layout(), place, breaks);
      }
    }
    if (strategy.needsBit()) {
      breaks.add("needs a spare bit in the entry");
    }
    return new Line(strategy.toString(), segment, ram, nanos, underLock, breaks);
  }

  /** Whether a place far from RAM has a page frame until the boot is done. */
  private static boolean isWrongTooEarly(BootTable.Row boot) {
    return !boot.at(BootStep.MEMORY_CHUNKS, BootTable.Place.FAR).right()
        && boot.at(BootStep.SEGMENTS, BootTable.Place.FAR).right();
  }

  /** Reads a segment on a machine with two banks, and adds what was counted for it. */
  private static void addHarm(
      FrameStrategy strategy, EntryLayout layout, BootTable.Place place, List<String> breaks)
      throws IOException {
    if (place.isRam()) {
      return;
    }
    try (PhysicalMemory memory = BootTable.booted(strategy, layout)) {
      MemoryManager manager = new MemoryManager(memory, layout, strategy.on(memory, layout));
      long counted;
      try (AddressSpace space = manager.newAddressSpace("reader")) {
        AddrRange segment = place.range();
        ContiguousFile file = new ContiguousFile(segment.start() >>> Pages.SHIFT, segment.length());
        space.fault(space.map(MapRequest.shared(file, Access.READ)).start(), Access.READ);
        counted = manager.fileFrames();
      }
      if (counted > 0) {
        breaks.add(
            "counts a segment in a %s%s"
                .formatted(
                    place, memory.allocator().refused().isEmpty() ? "" : ", and frees it as RAM"));
      }
    }
  }

  private static Answer ofSegment(NormalPageMachine machine, MemoryManager manager) {
    return Answer.of(manager, machine.mappings()[0], machine.entries(manager, 2, 1)[0]);
  }

  /** Asks about memory of the process and about a private copy among pages of segments. */
  private static Answer ofRam(NormalPageMachine machine, MemoryManager manager) {
    long pte = machine.entries(manager, 2, 1)[1];
    Answer ordinary = Answer.of(manager, machine.mappings()[1], pte);
    return ordinary == Answer.COUNTED ? Answer.of(manager, machine.mappings()[0], pte) : ordinary;
  }

  /**
   * Tests as fork does, under the lock of the entry's table.
   *
   * @param test asks about entries
   * @return what the kernel would print about the lock; empty if it has nothing to print
   */
  public static String underSpinLock(Runnable test) {
    SpinLock lock = new SpinLock("entry lock", LockOrder.Rank.ENTRY);
    lock.lock();
    try {
      test.run();
      return "";
    } catch (SleepingInAtomicException e) {
      return e.getMessage();
    } finally {
      lock.unlock();
    }
  }
}
