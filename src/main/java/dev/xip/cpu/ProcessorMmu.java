package dev.xip.cpu;

import dev.xip.host.KvmProcessor;
import dev.xip.pagetable.Mmu;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What a processor owes before it may run user mode, and whether it is running: the meeting place
 * of the thread that runs it and of those that change entries.
 *
 * <p>A flush is requested by a number. The running thread takes the latest number after it has
 * entered and before the processor runs; so a request that it has not taken finds the processor
 * outside, or is followed by a kick that the run cannot miss.
 */
final class ProcessorMmu implements Mmu {
  private final KvmProcessor processor;
  private final TableDebt debt = new TableDebt();
  private final AtomicLong requested = new AtomicLong();

  /** The last request that the next entry into user mode fulfils. */
  private volatile long taken;

  /** Odd while the processor may be in user mode. Written by the running thread alone. */
  private volatile long sequence;

  private volatile boolean interrupted;

  /** Whether the hypervisor does not see what the host stores into tables. */
  private volatile boolean shadowed;

  ProcessorMmu(KvmProcessor processor) {
    this.processor = processor;
  }

  void setShadowed(boolean isShadowed) {
    shadowed = isShadowed;
  }

  @Override
  public void tableChanged(long pfn) {
    if (shadowed) {
      debt.add(pfn);
    }
  }

  @Override
  public void flush() {
    long mine = requested.incrementAndGet();
    long seen = sequence;
    if ((seen & 1) == 0) {
      return;
    }
    processor.kick();
    while (sequence == seen && taken < mine) {
      Thread.onSpinWait();
    }
  }

  /** Makes the present run, or the next, end. */
  void interrupt() {
    interrupted = true;
    if ((sequence & 1) != 0) {
      processor.kick();
    }
  }

  /** Tells whether {@link #interrupt} was called since this method last said so. */
  boolean takeInterrupt() {
    boolean was = interrupted;
    if (was) {
      interrupted = false;
    }
    return was;
  }

  /** The processor is about to run. */
  void enter() {
    sequence = sequence + 1;
    processor.exitImmediately(false);
  }

  /** The processor has stopped. */
  void leave() {
    sequence = sequence + 1;
  }

  /** Takes over the flush, if one was requested since the last call: between enter and leave. */
  boolean takeFlush() {
    long latest = requested.get();
    boolean owed = latest != taken;
    taken = latest;
    return owed;
  }

  /** Takes over the tables that were changed, or null; after {@link #takeFlush}. */
  long[] takeTables() {
    return debt.take();
  }
}
