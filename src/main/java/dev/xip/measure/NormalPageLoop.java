package dev.xip.measure;

import dev.xip.base.Pages;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MemoryManager;
import dev.xip.vm.NormalFrame;
import dev.xip.vm.Vma;
import java.lang.constant.ConstantDescs;
import java.lang.invoke.MethodHandles;
import java.util.function.IntToLongFunction;

/**
 * The loop that {@link NormalPageBench} times. Each candidate gets a copy as a hidden class with
 * constants of its own: so the compiler knows the strategy, as in a kernel that was built for it,
 * and no candidate is slowed down by call sites that another one made polymorphic.
 */
final class NormalPageLoop implements IntToLongFunction {
  /** The length of a run of entries of one kind: neighbours in a table are mostly alike. */
  static final int RUN = 64;

  /** The number of entries that one pass goes over; a power of two. */
  static final int ENTRIES = 4096;

  /**
   * The input of one loop.
   *
   * @param strategy the strategy, or null for the loop alone
   * @param manager the machine that uses it
   * @param mappings two mappings, to which the runs belong in turn
   * @param entries {@link #ENTRIES} entries
   */
  record Candidate(FrameStrategy strategy, MemoryManager manager, Vma[] mappings, long[] entries) {}

  private static final Candidate CANDIDATE;
  private static final MemoryManager MANAGER;
  private static final NormalFrame STRATEGY;
  private static final boolean IDLE;
  private static final boolean BIT;
  private static final Vma[] MAPPINGS;
  private static final long[] PTES;

  static {
    try {
      CANDIDATE =
          MethodHandles.classData(
              MethodHandles.lookup(), ConstantDescs.DEFAULT_NAME, Candidate.class);
    } catch (IllegalAccessException e) {
      throw new ExceptionInInitializerError(e);
    }
    MANAGER = CANDIDATE.manager();
    STRATEGY = MANAGER.strategy();
    IDLE = CANDIDATE.strategy() == null;
    BIT = MANAGER.usesSpecialBit();
    MAPPINGS = CANDIDATE.mappings();
    PTES = CANDIDATE.entries();
  }

  /** Called through reflection, on the hidden copies. */
  NormalPageLoop() {}

  /** Tests {@code count} entries and sums up the answers. */
  @Override
  public long applyAsLong(int count) {
    long sum = 0;
    for (int i = 0; i < count; i++) {
      int at = i & ENTRIES - 1;
      long pte = PTES[at];
      Vma vma = MAPPINGS[at / RUN & 1];
      long va = vma.range().start() + ((long) at << Pages.SHIFT);
      if (IDLE) {
        sum += va + pte;
      } else if (BIT) {
        sum += MANAGER.normalFrame(vma, va, pte);
      } else {
        // What MemoryManager.normalFrame does, without its virtual call.
        sum += STRATEGY.decide(MANAGER, vma, va, pte);
      }
    }
    return sum;
  }
}
