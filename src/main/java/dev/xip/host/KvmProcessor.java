package dev.xip.host;

import dev.xip.base.Access;
import dev.xip.base.Errno;
import dev.xip.bindings.Guest;
import dev.xip.bindings.Kvm;
import dev.xip.bindings.kvm_msr_entry;
import dev.xip.bindings.kvm_msrs;
import dev.xip.bindings.kvm_regs;
import dev.xip.bindings.kvm_run;
import dev.xip.bindings.kvm_sregs;
import dev.xip.bindings.kvm_sync_regs;
import dev.xip.bindings.kvm_xcr;
import dev.xip.bindings.kvm_xcrs;
import dev.xip.bindings.kvm_xsave;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;

/**
 * A virtual processor of KVM. Its registers are in memory that both share: they are valid after
 * each {@link #run}, which spares a call for the address of a page fault. The next run takes those
 * back that user mode sees if {@link #registersChanged} was called.
 *
 * <p>One thread at a time uses a processor. {@link #kick} alone may be called from any thread.
 */
public final class KvmProcessor {
  /** A suberror of KVM_EXIT_INTERNAL_ERROR (linux/kvm.h). */
  private static final int KVM_INTERNAL_ERROR_EMULATION = 1;

  private static final VarHandle BYTE = ValueLayout.JAVA_BYTE.varHandle();

  private final int fd;
  private final int id;
  private final Arena arena = Arena.ofShared();

  /** struct kvm_run. */
  private final MemorySegment shared;

  private final MemorySegment registers;
  private final MemorySegment errno;
  private final SystemRegisters system;

  /** The number of the thread that runs it. */
  private volatile int thread;

  KvmProcessor(int fd, int id, int runBytes) throws HostException {
    this.fd = fd;
    this.id = id;
    long addr =
        MemoryCalls.mmap(
            0,
            runBytes,
            Args.protection(Access.READ_WRITE),
            Sharing.SHARED.flag(),
            fd,
            "vcpu " + id,
            0);
    this.shared = MappedMemory.of(addr, runBytes, arena, () -> MappedMemory.unmap(addr, runBytes));
    MemorySegment synchronised = kvm_run.s(shared);
    this.registers = synchronised.asSlice(kvm_sync_regs.regs$offset(), kvm_regs.sizeof());
    this.errno = Calls.allocateState(arena);
    this.system =
        new SystemRegisters(synchronised.asSlice(kvm_sync_regs.sregs$offset(), kvm_sregs.sizeof()));
    try {
      request("KVM_GET_SREGS", Kvm.KVM_GET_SREGS(), system.struct());
    } catch (HostException refused) {
      arena.close();
      throw refused;
    }
    kvm_run.kvm_valid_regs(shared, Kvm.KVM_SYNC_X86_REGS() | Kvm.KVM_SYNC_X86_SREGS());
  }

  /** {@return its number in the machine, from 0 on} */
  public int id() {
    return id;
  }

  /** {@return memory that holds the registers, each at {@link Register#offset}} */
  public MemorySegment registers() {
    return registers;
  }

  /** Makes the next run load the registers. */
  public void registersChanged() {
    kvm_run.kvm_dirty_regs(shared, Kvm.KVM_SYNC_X86_REGS());
  }

  /**
   * Runs until something happens that the processor cannot do alone. Allocates nothing for a HLT.
   * The calling thread is the one that a kick will stop.
   *
   * @return what happened
   * @throws HostException if KVM refuses: EINVAL for registers that no processor could have
   */
  public KvmExit run() throws HostException {
    int result;
    try {
      result = (int) KvmCalls.IOCTL.invokeExact(errno, fd, (long) Kvm.KVM_RUN(), 0L);
    } catch (RuntimeException | Error failure) {
      throw failure;
    } catch (Throwable impossible) {
      throw new AssertionError(impossible);
    }
    if (result == 0) {
      return exit(kvm_run.exit_reason(shared));
    }
    int number = Calls.errno(errno);
    return switch (Errno.of(number)) {
      case EINTR, EAGAIN -> KvmExit.Plain.INTERRUPTED;
      case EFAULT -> KvmExit.Plain.NO_MEMORY;
      default -> throw new HostException("KVM_RUN", "vcpu=" + id, number);
    };
  }

  private KvmExit exit(int reason) {
    if (reason == Kvm.KVM_EXIT_HLT()) {
      return KvmExit.Plain.HALT;
    }
    if (reason == Kvm.KVM_EXIT_MMIO()) {
      MemorySegment access = kvm_run.mmio(shared);
      kvm_run.mmio.data(access).fill((byte) 0);
      return new KvmExit.Stray(
          kvm_run.mmio.phys_addr(access),
          kvm_run.mmio.len(access),
          kvm_run.mmio.is_write(access) != 0);
    }
    if (reason == Kvm.KVM_EXIT_SHUTDOWN()) {
      return KvmExit.Plain.SHUTDOWN;
    }
    if (reason == Kvm.KVM_EXIT_INTERNAL_ERROR()) {
      int error = kvm_run.internal.suberror(kvm_run.internal(shared));
      return error == KVM_INTERNAL_ERROR_EMULATION
          ? KvmExit.Plain.NOT_EMULATED
          : new KvmExit.Failed("KVM_EXIT_INTERNAL_ERROR, suberror %d".formatted(error));
    }
    if (reason == Kvm.KVM_EXIT_FAIL_ENTRY()) {
      long why = kvm_run.fail_entry.hardware_entry_failure_reason(kvm_run.fail_entry(shared));
      return new KvmExit.Failed("KVM_EXIT_FAIL_ENTRY, hardware reason 0x%x".formatted(why));
    }
    return new KvmExit.Failed("exit reason %d".formatted(reason));
  }

  /** Makes the calling thread the one that {@link #kick} stops. */
  public void takeThread() {
    thread = Guest.xip_kick_thread();
  }

  /**
   * Says whether a run is to return at once, after it has completed a {@link KvmExit.Stray}.
   *
   * @param immediately whether it is
   */
  public void exitImmediately(boolean immediately) {
    BYTE.setVolatile(shared, kvm_run.immediate_exit$offset(), (byte) (immediately ? 1 : 0));
  }

  /**
   * Makes the present run, or the next, return {@link KvmExit.Plain#INTERRUPTED}. That lasts until
   * {@link #exitImmediately} says otherwise.
   */
  public void kick() {
    exitImmediately(true);
    // Fails if the thread has ended, and then it does not run.
    Guest.xip_kick(thread);
  }

  /** {@return the registers of the system, as of the last run and as set since} */
  public SystemRegisters systemRegisters() {
    return system;
  }

  /**
   * Makes what was set in {@link #systemRegisters} what the processor has.
   *
   * @throws HostException if no processor could have them (EINVAL)
   */
  public void setSystemRegisters() throws HostException {
    request("KVM_SET_SREGS", Kvm.KVM_SET_SREGS(), system.struct());
  }

  /**
   * Sets a model-specific register.
   *
   * @param number the register's number
   * @param value its value
   * @throws HostException if the processor has no such register (EINVAL), or KVM refuses
   */
  public void setModelRegister(int number, long value) throws HostException {
    try (Arena struct = Arena.ofConfined()) {
      MemorySegment list = struct.allocate(kvm_msrs.sizeof() + kvm_msr_entry.sizeof(), Long.BYTES);
      kvm_msrs.nmsrs(list, 1);
      MemorySegment entry = list.asSlice(kvm_msrs.sizeof());
      kvm_msr_entry.index(entry, number);
      kvm_msr_entry.data(entry, value);
      String what = "msr=0x%x, value=0x%x".formatted(number, value);
      if (KvmCalls.request(fd, "KVM_SET_MSRS", Kvm.KVM_SET_MSRS(), list, what) != 1) {
        throw new HostException("KVM_SET_MSRS", what, Errno.EINVAL);
      }
    }
  }

  /**
   * Sets XCR0: which parts of the extended state user mode may use.
   *
   * @param mask the parts
   * @throws HostException if the processor lacks one of them (EINVAL)
   */
  public void setExtendedStateMask(long mask) throws HostException {
    try (Arena struct = Arena.ofConfined()) {
      MemorySegment list = kvm_xcrs.allocate(struct);
      kvm_xcrs.nr_xcrs(list, 1);
      MemorySegment first = kvm_xcr.asSlice(kvm_xcrs.xcrs(list), 0);
      kvm_xcr.xcr(first, 0);
      kvm_xcr.value(first, mask);
      KvmCalls.request(fd, "KVM_SET_XCRS", Kvm.KVM_SET_XCRS(), list, "xcr0=0x%x".formatted(mask));
    }
  }

  /**
   * Allocates memory for the extended state.
   *
   * @param owner the arena to allocate in
   * @return memory for {@link #saveExtendedState}
   */
  public static MemorySegment allocateExtendedState(Arena owner) {
    return kvm_xsave.allocate(owner);
  }

  /**
   * Copies the extended state: floating point and vector registers with their control words.
   *
   * @param state memory of {@link #allocateExtendedState}
   * @throws HostException if KVM refuses
   */
  public void saveExtendedState(MemorySegment state) throws HostException {
    request("KVM_GET_XSAVE", Kvm.KVM_GET_XSAVE(), state);
  }

  /**
   * Loads the extended state.
   *
   * @param state what {@link #saveExtendedState} of any processor of this host has copied
   * @throws HostException if KVM refuses
   */
  public void loadExtendedState(MemorySegment state) throws HostException {
    request("KVM_SET_XSAVE", Kvm.KVM_SET_XSAVE(), state);
  }

  private void request(String name, long request, MemorySegment struct) throws HostException {
    KvmCalls.request(fd, name, request, struct, "vcpu=" + id);
    Reference.reachabilityFence(this);
  }

  void close() {
    FileCalls.close(fd);
    arena.close();
  }

  @Override
  public String toString() {
    return "vcpu " + id;
  }
}
