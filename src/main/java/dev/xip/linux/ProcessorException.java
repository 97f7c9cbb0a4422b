package dev.xip.linux;

import dev.xip.base.Access;
import dev.xip.cpu.Exit;
import dev.xip.cpu.VirtualProcessor;
import dev.xip.host.HostException;
import dev.xip.host.KvmProcessor;
import dev.xip.host.Register;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * An exception of user mode, as a handler finds it beside the registers. Linux counterpart: {@code
 * trap_nr} and {@code error_code} of struct thread_struct, arch/x86/kernel/traps.c.
 *
 * @param vector its number
 * @param errorCode its error code; 0 if it has none
 */
record ProcessorException(int vector, long errorCode) {
  /** What a handler finds before the first exception. */
  static final ProcessorException NONE = new ProcessorException(0, 0);

  private static final int PAGE_FAULT = 14;
  private static final int FAULT_PRESENT = 1;
  private static final int FAULT_WRITE = 2;
  private static final int FAULT_USER = 4;
  private static final int FAULT_FETCH = 16;
  private static final int ILL_ILLOPN = 2;
  private static final int FPE_INTDIV = 1;
  private static final int FPE_FLTDIV = 3;
  private static final int FPE_FLTOVF = 4;
  private static final int FPE_FLTUND = 5;
  private static final int FPE_FLTRES = 6;
  private static final int FPE_FLTINV = 7;
  private static final int TRAP_TRACE = 2;
  private static final int BUS_ADRALN = 1;

  /** In the extended state: control and status of x87, control and status of SSE. */
  private static final int X87_CONTROL = 0;

  private static final int X87_STATUS = 2;
  private static final int SSE_STATUS = 24;
  private static final int SSE_MASKS_SHIFT = 7;

  /** A page fault, which does not tell of the kernel's addresses whether there is an entry. */
  static ProcessorException of(Exit.PageFault fault, long addressLimit) {
    boolean present = fault.present() || Long.compareUnsigned(fault.address(), addressLimit) >= 0;
    Access access = fault.access();
    return new ProcessorException(
        PAGE_FAULT,
        FAULT_USER
            | (present ? FAULT_PRESENT : 0)
            | (access.write() ? FAULT_WRITE : 0)
            | (access.execute() ? FAULT_FETCH : 0));
  }

  /** The signal that it becomes. */
  SignalInfo signal(VirtualProcessor processor, String reason) throws HostException {
    long at = processor.get(Register.RIP);
    return switch (vector) {
      case 0 -> SignalInfo.ofFault(Signal.SIGFPE, FPE_INTDIV, at, reason);
      case 1 -> SignalInfo.ofFault(Signal.SIGTRAP, TRAP_TRACE, at, reason);
      case 3 -> SignalInfo.fromKernel(Signal.SIGTRAP, reason);
      case 6 -> SignalInfo.ofFault(Signal.SIGILL, ILL_ILLOPN, at, reason);
      case 11, 12 -> SignalInfo.fromKernel(Signal.SIGBUS, reason);
      case 16, 19 ->
          SignalInfo.ofFault(Signal.SIGFPE, floatingPointCode(processor.kvm()), at, reason);
      case 17 -> SignalInfo.ofFault(Signal.SIGBUS, BUS_ADRALN, 0, reason);
      default -> SignalInfo.fromKernel(Signal.SIGSEGV, reason);
    };
  }

  /** Linux counterpart: {@code fpu__exception_code}. */
  private int floatingPointCode(KvmProcessor processor) throws HostException {
    int unmasked;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = KvmProcessor.allocateExtendedState(arena);
      processor.saveExtendedState(state);
      if (vector == 16) {
        unmasked =
            state.get(ValueLayout.JAVA_SHORT, X87_STATUS)
                & ~state.get(ValueLayout.JAVA_SHORT, X87_CONTROL);
      } else {
        int status = state.get(ValueLayout.JAVA_INT, SSE_STATUS);
        unmasked = status & ~(status >> SSE_MASKS_SHIFT);
      }
    }
    return (unmasked & 1) != 0
        ? FPE_FLTINV
        : (unmasked & 4) != 0
            ? FPE_FLTDIV
            : (unmasked & 8) != 0 ? FPE_FLTOVF : (unmasked & 0x12) != 0 ? FPE_FLTUND : FPE_FLTRES;
  }
}
