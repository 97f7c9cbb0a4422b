package dev.xip.linux;

import dev.xip.cpu.VirtualProcessor;
import dev.xip.host.GuestPages;
import dev.xip.host.HostException;
import dev.xip.host.KvmProcessor;
import dev.xip.host.Register;
import dev.xip.vm.MemoryFaultException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What a handler finds on its stack: where it returns to, the registers, the signal, the extended
 * state. Linux counterpart: {@code struct rt_sigframe} of x86-64.
 */
final class SignalFrame {
  private static final int BYTES = 440;
  private static final int RED_ZONE = 128;

  /** x87, SSE, the header, AVX, and a word behind them. */
  private static final int STATE_BYTES = 832;

  private static final int STATE_ALIGNMENT = 64;
  private static final int SOFTWARE = 464;
  private static final int MAGIC_BEFORE = 0x46505853;
  private static final int MAGIC_BEHIND = 0x46505845;

  private static final int FLAGS = 8;
  private static final int STACK = 24;
  private static final int REGISTERS = 48;
  private static final int SELECTORS = REGISTERS + 144;
  private static final int ERROR_CODE = REGISTERS + 152;
  private static final int VECTOR = REGISTERS + 160;
  private static final int ADDRESS = REGISTERS + 176;
  private static final int STATE = REGISTERS + 184;
  private static final int MASK = 304;
  private static final int INFO = 312;

  /** UC_FP_XSTATE, UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS. */
  private static final int FLAGS_VALUE = 7;

  /** An address of the kernel. */
  private static final long NOWHERE = -4096;

  private static final int SS_DISABLE = 2;

  /** TF, DF and RF: a handler starts without them. */
  private static final long CLEARED_FLAGS = 0x1_0500;

  /** struct sigcontext_64 begins with these. */
  private static final Register[] ORDER = {
    Register.R8, Register.R9, Register.R10, Register.R11, Register.R12, Register.R13,
    Register.R14, Register.R15, Register.RDI, Register.RSI, Register.RBP, Register.RBX,
    Register.RDX, Register.RAX, Register.RCX, Register.RSP, Register.RIP, Register.RFLAGS,
  };

  private final Task task;
  private final VirtualProcessor processor;

  SignalFrame(Task task) {
    this.task = task;
    this.processor = task.processor();
  }

  /**
   * Writes it and makes the handler the next that runs, with a clean extended state.
   *
   * @param mask the signals that are blocked again when the handler returns
   * @throws MemoryFaultException if there is no stack to write to
   */
  void push(SignalInfo info, Signals.Action action, long mask)
      throws MemoryFaultException, HostException {
    long rsp = processor.get(Register.RSP);
    Signals signals = task.signals();
    boolean onStack = signals.isOnStack(rsp);
    boolean enters =
        (action.flags() & Signals.SA_ONSTACK) != 0 && signals.stackBytes() != 0 && !onStack;
    long top = enters ? signals.stackStart() + signals.stackBytes() : rsp - RED_ZONE;
    long state = top - STATE_BYTES - 4 & -STATE_ALIGNMENT;
    long start = (state - BYTES & -16) - 8;
    if ((onStack || enters) && !signals.isOnStack(start)) {
      // It would lie below that stack; as in the kernel, the write fails.
      state = NOWHERE;
    }
    ByteBuffer frame = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    frame.putLong(0, action.restorer());
    frame.putLong(FLAGS, FLAGS_VALUE);
    frame.putLong(STACK, signals.stackStart());
    frame.putInt(STACK + 8, signals.stackBytes() == 0 ? SS_DISABLE : onStack ? 1 : 0);
    frame.putLong(STACK + 16, signals.stackBytes());
    for (int i = 0; i < ORDER.length; i++) {
      frame.putLong(REGISTERS + 8 * i, processor.get(ORDER[i]));
    }
    frame.putShort(SELECTORS, (short) GuestPages.USER_CS);
    frame.putShort(SELECTORS + 6, (short) GuestPages.USER_SS);
    frame.putLong(ERROR_CODE, task.exception().errorCode());
    frame.putLong(VECTOR, task.exception().vector());
    frame.putLong(ADDRESS, info.address());
    frame.putLong(STATE, state);
    frame.putLong(MASK, mask);
    info.put(frame, INFO);
    task.memory().write(state, state(), STATE_BYTES + 4);
    task.memory().write(start, frame.array(), BYTES);
    processor.clearExtendedState();
    processor.set(Register.RSP, start);
    processor.set(Register.RIP, action.handler());
    processor.set(Register.RAX, 0);
    processor.set(Register.RDI, info.number());
    processor.set(Register.RSI, start + INFO);
    processor.set(Register.RDX, start + FLAGS);
    processor.set(Register.RFLAGS, processor.get(Register.RFLAGS) & ~CLEARED_FLAGS);
  }

  private byte[] state() throws HostException {
    byte[] bytes = new byte[STATE_BYTES + 4];
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = KvmProcessor.allocateExtendedState(arena);
      processor.kvm().saveExtendedState(state);
      MemorySegment.copy(state, ValueLayout.JAVA_BYTE, 0, bytes, 0, STATE_BYTES);
    }
    ByteBuffer software = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    software.putInt(SOFTWARE, MAGIC_BEFORE);
    software.putInt(SOFTWARE + 4, STATE_BYTES + 4);
    software.putLong(SOFTWARE + 8, 7);
    software.putInt(SOFTWARE + 16, STATE_BYTES);
    software.putInt(STATE_BYTES, MAGIC_BEHIND);
    return bytes;
  }

  /**
   * Goes back to what the frame says, rt_sigreturn(2): it lies below the stack pointer, whose word
   * the handler's return has taken.
   *
   * @throws MemoryFaultException if it cannot be read
   * @throws HostException if no processor could have the extended state
   */
  void pop() throws MemoryFaultException, HostException {
    long start = processor.get(Register.RSP) - 8;
    ByteBuffer frame =
        ByteBuffer.wrap(task.memory().read(start, BYTES)).order(ByteOrder.LITTLE_ENDIAN);
    long at = frame.getLong(STATE);
    if (at == 0) {
      processor.clearExtendedState();
    } else {
      byte[] bytes = task.memory().read(at, STATE_BYTES);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment state = KvmProcessor.allocateExtendedState(arena);
        MemorySegment.copy(bytes, 0, state, ValueLayout.JAVA_BYTE, 0, STATE_BYTES);
        state.asSlice(SOFTWARE, 48).fill((byte) 0);
        processor.kvm().loadExtendedState(state);
      }
    }
    for (int i = 0; i < ORDER.length; i++) {
      processor.set(ORDER[i], frame.getLong(REGISTERS + 8 * i));
    }
    synchronized (task.kernel()) {
      Signals signals = task.signals();
      signals.setBlocked(frame.getLong(MASK));
      boolean none = (frame.getInt(STACK + 8) & SS_DISABLE) != 0;
      signals.setStack(none ? 0 : frame.getLong(STACK), none ? 0 : frame.getLong(STACK + 16));
    }
  }
}
