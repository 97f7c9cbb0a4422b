package dev.xip.linux;

import dev.xip.cpu.Exit;
import dev.xip.cpu.VirtualProcessor;
import dev.xip.host.Register;
import dev.xip.vm.FaultResult;
import dev.xip.vm.MemoryFaultException;
import java.io.IOException;

/**
 * Runs a task in user mode, and answers why it left: system calls, page faults, exceptions, which
 * become signals. Linux counterpart: arch/x86/mm/fault.c and arch/x86/kernel/traps.c.
 */
final class UserMode {
  private static final int SEGV_MAPERR = 1;
  private static final int SEGV_ACCERR = 2;
  private static final int BUS_ADRERR = 2;

  private final Task task;
  private final Kernel kernel;
  private final VirtualProcessor processor;
  private final SystemCalls calls;
  private ProcessorException exception = ProcessorException.NONE;

  UserMode(Task task, SystemCalls calls) {
    this.task = task;
    this.kernel = task.kernel();
    this.processor = task.processor();
    this.calls = calls;
  }

  /** The last that has become a signal. */
  ProcessorException exception() {
    return exception;
  }

  /** Runs until the task ends. */
  void run() throws IOException {
    while (!task.isEnding()) {
      long entered = System.nanoTime();
      Exit exit = processor.run();
      task.tally().left(exit, System.nanoTime() - entered);
      switch (exit) {
        case Exit.SystemCall call -> calls.perform();
        case Exit.PageFault fault -> pageFault(fault);
        case Exit.Trap(int vector, long errorCode) -> {
          exception = new ProcessorException(vector, errorCode);
          force(exception.signal(processor, place("exception " + vector)));
        }
        case Exit.StrayAccess stray ->
            force(SignalInfo.ofFault(Signal.SIGBUS, BUS_ADRERR, 0, place(stray.toString())));
        case Exit.Interrupted interrupted -> {
          // For a signal, or for nothing.
        }
        case Exit.Failed(String why) -> force(SignalInfo.fromKernel(Signal.SIGKILL, place(why)));
      }
      kernel.sample();
      if (!task.isEnding()) {
        task.delivery().deliver();
      }
    }
  }

  private String place(String why) {
    return "%s at 0x%x".formatted(why, processor.get(Register.RIP));
  }

  private void pageFault(Exit.PageFault fault) {
    FaultResult result = task.process().space().fault(fault.address(), fault.access());
    task.tally().answered(result);
    if (result instanceof FaultResult.Refused(MemoryFaultException cause)) {
      if (cause instanceof MemoryFaultException.OutOfMemory
          && (kernel.memory().relieve(task, OutOfMemory.FOR_FAULT) || task.signals().isKilled())) {
        return;
      }
      long address = fault.address();
      exception = ProcessorException.of(fault, kernel.addressLimit());
      String why = place(cause.getMessage());
      force(
          switch (cause) {
            case MemoryFaultException.SegmentationFault s ->
                SignalInfo.ofFault(
                    Signal.SIGSEGV,
                    task.process().space().find(address) == null ? SEGV_MAPERR : SEGV_ACCERR,
                    address,
                    why);
            case MemoryFaultException.BusError b ->
                SignalInfo.ofFault(Signal.SIGBUS, BUS_ADRERR, address, why);
            case MemoryFaultException.OutOfMemory o -> SignalInfo.fromKernel(Signal.SIGKILL, why);
          });
    }
  }

  private void force(SignalInfo info) {
    synchronized (kernel) {
      task.signals().force(info);
    }
  }
}
