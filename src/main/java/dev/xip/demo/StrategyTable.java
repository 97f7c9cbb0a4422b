package dev.xip.demo;

import dev.xip.base.AddrRange;
import dev.xip.base.LockOrder;
import dev.xip.base.ProgressListener;
import dev.xip.base.SleepingInAtomicException;
import dev.xip.base.SpinLock;
import dev.xip.measure.BenchRow;
import dev.xip.measure.NormalPageBench;
import dev.xip.measure.NormalPageMachine;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.X8664Of2008Layout;
import dev.xip.phys.BootStep;
import dev.xip.phys.MemoryChunk;
import dev.xip.phys.MemoryModel;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MemoryManager;
import dev.xip.vm.Vma;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Applies every strategy of the normal-page test to the same cases: an entry of a segment and
 * entries of RAM, under a spin lock as in fork and exit, before the memory is known as in early
 * boot, and about memory that lies badly for it.
 */
public final class StrategyTable {
  private static final int SEGMENTS = 64;
  private static final long MIB = 1L << 20;

  /** A segment behind RAM, in its section of 128 MiB. */
  private static final AddrRange NEAR = new AddrRange(96 * MIB, 97 * MIB);

  /** A second bank of RAM, which the memory models alone are told of. */
  private static final AddrRange SECOND_BANK = new AddrRange(512 * MIB, 576 * MIB);

  /** In the hole, far from both banks. */
  private static final long HOLE = 256 * MIB;

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
   * @param breaks how it breaks, each in a few words
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
    List<Line> lines = new ArrayList<>();
    for (FrameStrategy strategy : FrameStrategy.values()) {
      double nanos =
          costs.stream()
              .filter(row -> row.strategy().equals(strategy.toString()))
              .mapToDouble(BenchRow::median)
              .findFirst()
              .orElse(Double.NaN);
      try (NormalPageMachine machine = NormalPageMachine.boot(layout, SEGMENTS)) {
        lines.add(ask(machine, strategy, nanos));
      }
    }
    return lines;
  }

  private static Line ask(NormalPageMachine machine, FrameStrategy strategy, double nanos)
      throws IOException {
    MemoryManager manager = machine.manager(strategy);
    Answer segment = ofSegment(machine, manager);
    Answer ram = ofRam(machine, manager);
    String underLock = underLock(machine, manager);
    List<String> breaks = new ArrayList<>();
    if (segment != Answer.NO_FRAME) {
      breaks.add("counts segments in page frames that do not exist");
    }
    if (ram != Answer.COUNTED) {
      breaks.add("takes all RAM for shared segments");
    }
    if (!underLock.isEmpty()) {
      breaks.add("sleeps under a spin lock");
    }
    if (strategy.newModel(machine.memory()).isPresent()) {
      addEarlyAnswers(machine, strategy, segment, ram, breaks);
      addMisplaced(machine, strategy, segment, breaks);
    }
    if (!strategy.fits(X8664Of2008Layout.INSTANCE)) {
      breaks.add("needs a spare bit in the entry");
    }
    return new Line(strategy.toString(), segment, ram, nanos, underLock, breaks);
  }

  /** Adds wrong answers that the strategy gives before it knows the memory. */
  private static void addEarlyAnswers(
      NormalPageMachine machine,
      FrameStrategy strategy,
      Answer segment,
      Answer ram,
      List<String> breaks) {
    if (ram == Answer.COUNTED
        && ofRam(machine, early(machine, strategy, BootStep.START)) != Answer.COUNTED) {
      breaks.add("too early: takes RAM for no memory");
    }
    if (segment == Answer.NO_FRAME
        && ofSegment(machine, early(machine, strategy, BootStep.STATIC_TABLES))
            != Answer.NO_FRAME) {
      breaks.add("too early: takes segments for RAM");
    }
  }

  /** Adds what the strategy takes for RAM: a hole between two banks, a segment close to RAM. */
  private static void addMisplaced(
      NormalPageMachine machine, FrameStrategy strategy, Answer segment, List<String> breaks)
      throws IOException {
    MemoryModel model = strategy.newModel(machine.memory()).orElseThrow();
    machine.memory().attach(model);
    machine.memory().claim("NEAR RAM", NEAR, true);
    MemoryManager manager = machine.manager(strategy.by(model));
    Vma mixed = machine.mappings()[0];
    if (segment == Answer.NO_FRAME
        && answer(manager, mixed, machine.entry(manager, NEAR.start())) != Answer.NO_FRAME) {
      breaks.add("takes a segment in a section with RAM for RAM");
    }
    model.addRam(SECOND_BANK);
    model.map(SECOND_BANK);
    model.addChunk(new MemoryChunk(SECOND_BANK, true));
    if (answer(manager, mixed, machine.entry(manager, HOLE)) != Answer.NO_FRAME) {
      breaks.add("takes a hole between banks for RAM");
    }
  }

  private static MemoryManager early(
      NormalPageMachine machine, FrameStrategy strategy, BootStep step) {
    MemoryModel model = strategy.newModel(machine.memory()).orElseThrow();
    machine.memory().tell(model, step);
    return machine.manager(strategy.by(model));
  }

  private static Answer ofSegment(NormalPageMachine machine, MemoryManager manager) {
    return answer(manager, machine.mappings()[0], machine.entries(manager, 2, 1)[0]);
  }

  /** Asks about memory of the process and about a private copy among pages of segments. */
  private static Answer ofRam(NormalPageMachine machine, MemoryManager manager) {
    long pte = machine.entries(manager, 2, 1)[1];
    Answer ordinary = answer(manager, machine.mappings()[1], pte);
    return ordinary == Answer.COUNTED ? answer(manager, machine.mappings()[0], pte) : ordinary;
  }

  private static Answer answer(MemoryManager manager, Vma vma, long pte) {
    long reports = manager.badEntries().count();
    long pfn = manager.normalFrame(vma, vma.range().start(), pte);
    if (pfn != MemoryManager.NO_FRAME) {
      return Answer.COUNTED;
    }
    return manager.badEntries().count() == reports ? Answer.NO_FRAME : Answer.BAD_ENTRY;
  }

  /** Tests as fork does, under the lock of the entry's table. */
  private static String underLock(NormalPageMachine machine, MemoryManager manager) {
    SpinLock lock = new SpinLock("entry lock", LockOrder.Rank.ENTRY);
    lock.lock();
    try {
      ofRam(machine, manager);
      return "";
    } catch (SleepingInAtomicException e) {
      return e.getMessage();
    } finally {
      lock.unlock();
    }
  }
}
