package dev.xip.linux;

import dev.xip.cpu.Exit;
import dev.xip.vm.FaultResult;

/** What one task has taken, or all that have ended. Its own thread, or the kernel's monitor. */
final class Tally {
  private static final int REFUSED = FaultResult.Handled.values().length;

  private long systemCalls;
  private long pageFaults;
  private long exceptions;
  private long strayAccesses;
  private long interrupts;
  private long userNanos;
  private long flushes;
  private long tableStores;

  /** By {@link FaultResult.Handled}, and those that were refused. */
  private final long[] faults = new long[REFUSED + 1];

  /** A processor has left user mode. */
  void left(Exit exit, long nanos) {
    userNanos += nanos;
    switch (exit) {
      case Exit.SystemCall call -> systemCalls++;
      case Exit.PageFault fault -> pageFaults++;
      case Exit.Trap trap -> exceptions++;
      case Exit.StrayAccess stray -> strayAccesses++;
      case Exit.Interrupted interrupted -> interrupts++;
      case Exit.Failed failed -> exceptions++;
    }
  }

  /** A fault was answered. */
  void answered(FaultResult result) {
    faults[result instanceof FaultResult.Handled handled ? handled.ordinal() : REFUSED]++;
  }

  /** What a processor has paid for changed entries. */
  void paid(long moreFlushes, long moreTableStores) {
    flushes += moreFlushes;
    tableStores += moreTableStores;
  }

  /** Adds what a task has taken. */
  void add(Tally task) {
    systemCalls += task.systemCalls;
    pageFaults += task.pageFaults;
    exceptions += task.exceptions;
    strayAccesses += task.strayAccesses;
    interrupts += task.interrupts;
    userNanos += task.userNanos;
    paid(task.flushes, task.tableStores);
    for (int i = 0; i < faults.length; i++) {
      faults[i] += task.faults[i];
    }
  }

  long systemCalls() {
    return systemCalls;
  }

  /** Faults that were not refused. */
  long faultsAnswered() {
    long sum = 0;
    for (int i = 0; i < REFUSED; i++) {
      sum += faults[i];
    }
    return sum;
  }

  long userNanos() {
    return userNanos;
  }

  long flushes() {
    return flushes;
  }

  long tableStores() {
    return tableStores;
  }

  RunAccount.Exits exits() {
    return new RunAccount.Exits(systemCalls, pageFaults, exceptions, strayAccesses, interrupts);
  }

  RunAccount.Faults faults() {
    return new RunAccount.Faults(
        faults[FaultResult.Handled.MAPPED.ordinal()],
        faults[FaultResult.Handled.PRESENT.ordinal()],
        faults[FaultResult.Handled.REUSED.ordinal()],
        faults[FaultResult.Handled.COPIED.ordinal()],
        faults[REFUSED]);
  }
}
