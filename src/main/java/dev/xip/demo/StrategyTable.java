package dev.xip.demo;

import dev.xip.base.LockOrder;
import dev.xip.base.ProgressListener;
import dev.xip.base.SleepingInAtomicException;
import dev.xip.base.SpinLock;
import dev.xip.measure.BenchRow;
import dev.xip.measure.NormalPageBench;
import dev.xip.measure.NormalPageMachine;
import dev.xip.pagetable.EntryLayout;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MemoryManager;
import dev.xip.vm.Vma;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Applies every strategy of the normal-page test to the same cases: an entry of a segment and one
 * of RAM, under a spin lock as in fork and exit, and before segments are known as in early boot.
 */
public final class StrategyTable {
  private static final int SEGMENTS = 64;

  /**
   * The results of one strategy.
   *
   * @param strategy its name
   * @param segmentCounted whether it reports a page frame for an entry of a segment (wrong)
   * @param ramCounted whether it reports a page frame for an entry of RAM (right)
   * @param nanos the nanoseconds of a test with 64 segments loaded
   * @param underLock what the kernel would print for a test under a spin lock; empty if it works
   * @param wrongEarly whether its memory model reports page frames for segments not yet known to it
   */
  public record Line(
      String strategy,
      boolean segmentCounted,
      boolean ramCounted,
      double nanos,
      String underLock,
      boolean wrongEarly) {}

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
        NormalPageBench.run(layout, new int[] {SEGMENTS}, new int[] {1}, ProgressListener.NONE);
    List<Line> lines = new ArrayList<>();
    for (FrameStrategy strategy : FrameStrategy.values()) {
      double nanos =
          costs.stream()
              .filter(row -> row.strategy().equals(strategy.toString()))
              .findFirst()
              .orElseThrow()
              .median();
      try (NormalPageMachine machine = NormalPageMachine.boot(layout, SEGMENTS)) {
        lines.add(ask(machine, strategy, nanos));
      }
    }
    return lines;
  }

  private static Line ask(NormalPageMachine machine, FrameStrategy strategy, double nanos) {
    MemoryManager manager = machine.manager(strategy);
    Vma[] mappings = machine.mappings();
    long[] entries = machine.entries(manager, 2, 1);
    boolean segmentCounted = isCounted(manager, mappings[0], entries[0]);
    boolean ramCounted = isCounted(manager, mappings[1], entries[1]);
    long segmentPfn = manager.layout().pfn(entries[0]);
    return new Line(
        strategy.toString(),
        segmentCounted,
        ramCounted,
        nanos,
        underLock(manager, mappings[1], entries[1]),
        strategy
            .newUninitializedModel(manager.memory())
            .map(model -> model.pfnValid(segmentPfn))
            .orElse(false));
  }

  private static boolean isCounted(MemoryManager manager, Vma vma, long pte) {
    return manager.normalFrame(vma, vma.range().start(), pte) != MemoryManager.NO_FRAME;
  }

  /** Tests as fork does, under the lock of the entry's table. */
  private static String underLock(MemoryManager manager, Vma vma, long pte) {
    SpinLock lock = new SpinLock("entry lock", LockOrder.Rank.ENTRY);
    lock.lock();
    try {
      isCounted(manager, vma, pte);
      return "";
    } catch (SleepingInAtomicException e) {
      return e.getMessage();
    } finally {
      lock.unlock();
    }
  }
}
