package dev.xip.cpu;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import dev.xip.host.GuestPages;
import dev.xip.host.HostException;
import dev.xip.host.KvmExit;
import dev.xip.host.KvmProcessor;
import dev.xip.host.Register;
import dev.xip.host.SystemRegisters;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.MapException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A processor that runs user mode of an address space. It belongs to one thread at a time; {@link
 * #interrupt} alone may be called from any. Closed, it goes back to the pool of {@link Processors}.
 */
public final class VirtualProcessor implements AutoCloseable {
  private static final int UNDEFINED_INSTRUCTION = 6;
  private static final int GENERAL_PROTECTION = 13;
  private static final int PAGE_FAULT = 14;

  /** Exceptions with an error code: 8, 10 to 14, 17, 21, 29, 30. */
  private static final int WITH_ERROR_CODE = 0x60227d00;

  private static final long FAULT_PRESENT = 1;
  private static final long FAULT_WRITE = 2;
  private static final long FAULT_RESERVED = 8;
  private static final long FAULT_FETCH = 16;

  private static final long CR0 = 0x8005_0033L;
  private static final long CR4 = 0x5_0620L;
  private static final long EFER = 0xd01;
  private static final int STAR = 0xc000_0081;
  private static final int LSTAR = 0xc000_0082;
  private static final int SFMASK = 0xc000_0084;
  private static final long STAR_VALUE =
      (long) (GuestPages.USER_SS - 8) << 48 | (long) GuestPages.KERNEL_CS << 32;
  private static final long SFMASK_VALUE = 0x25_7fd5;

  /** x87, SSE and AVX. */
  private static final long EXTENDED_STATE = 7;

  private static final int MOST_FAILED_RESUMES = 100;

  /** A stray access is completed in parts of 8 bytes at most; no instruction has more. */
  private static final int MOST_PARTS = 64;

  private final Processors pool;
  private final KvmProcessor kvm;
  private final KernelHalf kernel;
  private final UserEntry entry;
  private final ProcessorMmu mmu;
  private final MemorySegment user;
  private AddressSpace space;
  private long root;
  private Thread thread;

  /** How many resumes in a row have failed. */
  private int failedResumes;

  /** Whether an entry through a gate was cut off before its stub had halted. */
  private boolean entering;

  VirtualProcessor(Processors pool, KvmProcessor kvm, KernelHalf kernel, Arena arena)
      throws HostException, MapException {
    this.pool = pool;
    this.kvm = kvm;
    this.kernel = kernel;
    this.entry = new UserEntry(kernel, kvm.registers());
    this.mmu = new ProcessorMmu(kvm);
    this.user = arena.allocate(Register.BYTES, Long.BYTES);
    this.root = kernel.emptyRoot();
    SystemRegisters system = kvm.systemRegisters();
    system.setControl(CR0, root, CR4, EFER);
    system.setTables(
        GuestPages.BASE + GuestPages.GDT,
        GuestPages.GDT_LIMIT,
        GuestPages.BASE + GuestPages.IDT,
        GuestPages.IDT_LIMIT);
    system.setTask(entry.task(), UserEntry.TSS_LIMIT);
    system.setMode(GuestPages.KERNEL_CS, GuestPages.KERNEL_SS);
    system.setData(GuestPages.USER_SS);
    kvm.setSystemRegisters();
    kvm.setExtendedStateMask(EXTENDED_STATE);
    kvm.setModelRegister(STAR, STAR_VALUE);
    kvm.setModelRegister(SFMASK, SFMASK_VALUE);
  }

  /** Says how the hypervisor behaves, as far as {@link Probe} has found out. */
  void adapt(boolean entersByStub, boolean shadowed) throws HostException {
    kvm.setModelRegister(
        LSTAR, GuestPages.BASE + (entersByStub ? GuestPages.SYSCALL : GuestPages.USER_SYSCALL));
    mmu.setShadowed(shadowed);
  }

  /**
   * Makes an address space the one that runs, and leaves the one before.
   *
   * @param next the space, which must not be closed before {@link #leave}
   * @throws MapException ESRCH if it is closed
   * @throws HostException if KVM refuses
   */
  public void use(AddressSpace next) throws MapException, HostException {
    if (next == space) {
      return;
    }
    kernel.link(next.table());
    next.attach(mmu);
    leave();
    space = next;
    root = next.table().root() << Pages.SHIFT;
    entry.owe(true, null);
  }

  /**
   * Leaves the address space; does nothing if there is none.
   *
   * @throws HostException if KVM refuses
   */
  public void leave() throws HostException {
    if (space != null) {
      root = kernel.emptyRoot();
      SystemRegisters system = kvm.systemRegisters();
      system.setControl(CR0, root, CR4, EFER);
      kvm.setSystemRegisters();
      entry.owe(true, null);
      space.detach(mmu);
      space = null;
    }
  }

  /** {@return the address space that runs, or null} */
  public AddressSpace space() {
    return space;
  }

  /**
   * Reads a register of user mode.
   *
   * @param register the register
   * @return its value when user mode stopped, or what was set since
   */
  public long get(Register register) {
    return user.get(ValueLayout.JAVA_LONG, register.offset());
  }

  /**
   * Sets a register of user mode. Flags that user mode cannot set are ignored.
   *
   * @param register the register
   * @param value its value when user mode goes on
   */
  public void set(Register register, long value) {
    user.set(ValueLayout.JAVA_LONG, register.offset(), value);
  }

  /**
   * Returns the processor of KVM, for the state that user mode changes without an exit: FS and GS,
   * and the extended state.
   *
   * @return the processor, not to be run
   */
  public KvmProcessor kvm() {
    return kvm;
  }

  /** {@return how many flushes it has paid for changed entries, since it was made} */
  public long flushes() {
    return entry.flushes();
  }

  /** {@return how many stores into shadowed tables it has paid, since it was made} */
  public long tableStores() {
    return entry.tableStores();
  }

  /** Makes the present run, or the next, return {@link Exit.Interrupted}. For any thread. */
  public void interrupt() {
    mmu.interrupt();
  }

  /**
   * Runs user mode until it stops. What is owed for changed entries is paid before.
   *
   * @return why it has stopped
   * @throws HostException if KVM refuses
   */
  public Exit run() throws HostException {
    if (thread != Thread.currentThread()) {
      thread = Thread.currentThread();
      kvm.takeThread();
    }
    while (true) {
      KvmExit exit;
      mmu.enter();
      try {
        if (!entering) {
          if (mmu.takeInterrupt()) {
            return Exit.Interrupted.INTERRUPTED;
          }
          boolean flush = mmu.takeFlush();
          entry.owe(flush, mmu.takeTables());
          entry.prepare(user, root);
          kvm.registersChanged();
        }
        exit = kvm.run();
      } finally {
        mmu.leave();
      }
      Exit result = decode(exit);
      if (result != null) {
        return result;
      }
    }
  }

  /** Null if user mode is to go on. */
  private Exit decode(KvmExit exit) throws HostException {
    return switch (exit) {
      case KvmExit.Plain.HALT -> halted(register(Register.RIP) - GuestPages.BASE);
      case KvmExit.Plain.INTERRUPTED -> kicked();
      case KvmExit.Plain.NO_MEMORY, KvmExit.Plain.NOT_EMULATED ->
          broken(new Exit.StrayAccess(Exit.StrayAccess.UNKNOWN, false));
      case KvmExit.Plain.SHUTDOWN -> new Exit.Failed("triple fault");
      case KvmExit.Stray(long physical, int bytes, boolean write) -> stray(physical, write);
      case KvmExit.Failed(String why) -> broken(new Exit.Failed(why));
    };
  }

  private long register(Register register) {
    return kvm.registers().get(ValueLayout.JAVA_LONG, register.offset());
  }

  /** A stub has halted; the offset is that of the instruction behind HLT. */
  private Exit halted(long offset) {
    entering = false;
    if (offset == GuestPages.SYSCALL + 1) {
      user.copyFrom(kvm.registers());
      return systemCall();
    }
    if (offset > GuestPages.PAY_PART) {
      entry.paidPart();
      return null;
    }
    if (offset <= 0 || offset > GuestPages.SYSCALL) {
      return new Exit.Failed("HLT at 0x%x".formatted(register(Register.RIP)));
    }
    int vector = (int) (offset - 1 >>> GuestPages.VECTOR_SHIFT);
    if (vector == UNDEFINED_INSTRUCTION
        && entry.origin() == GuestPages.BASE + GuestPages.USER_SYSCALL) {
      // From user mode, or from ring 0 where a hypervisor enters that for some registers.
      entry.readFrame(user);
      return systemCall();
    }
    long errorCode = (WITH_ERROR_CODE >>> vector & 1) == 0 ? 0 : entry.errorCode();
    if (!entry.cameFromUser()) {
      return isResumedAgain() ? null : inKernel(vector, errorCode);
    }
    failedResumes = 0;
    entry.readFrame(user);
    entry.paid();
    return vector == PAGE_FAULT && (errorCode & FAULT_RESERVED) == 0
        ? pageFault(errorCode)
        : new Exit.Trap(vector, errorCode);
  }

  private Exit systemCall() {
    entry.paid();
    set(Register.RIP, get(Register.RCX));
    set(Register.RFLAGS, get(Register.R11));
    return Exit.SystemCall.CALL;
  }

  private Exit pageFault(long errorCode) {
    Access access =
        (errorCode & FAULT_FETCH) != 0
            ? Access.EXECUTE
            : (errorCode & FAULT_WRITE) != 0 ? Access.WRITE : Access.READ;
    long address = kvm.systemRegisters().faultAddress();
    return new Exit.PageFault(address, access, (errorCode & FAULT_PRESENT) != 0);
  }

  /**
   * kvm_pvm, which emulates ring 0, now and then reports an exception at a resume stub that IRETQ
   * cannot have: an undefined instruction, or the page fault of a user's store. Nothing has
   * happened then: the user's registers are set once more. An exception that the stub does have
   * comes each time.
   */
  private boolean isResumedAgain() {
    long origin = entry.origin() - GuestPages.BASE;
    return origin >= GuestPages.RESUME
        && origin < Pages.SIZE
        && ++failedResumes < MOST_FAILED_RESUMES;
  }

  /** IRETQ refuses registers that user mode cannot have; else a stub should cause no exception. */
  private Exit inKernel(int vector, long errorCode) {
    return vector == GENERAL_PROTECTION
        ? new Exit.Trap(vector, 0)
        : new Exit.Failed(
            "exception %d, error code 0x%x, at 0x%x in the kernel half"
                .formatted(vector, errorCode, entry.origin()));
  }

  /**
   * A signal came: in user mode, in a stub that resumes it, or in one that an exception entered.
   */
  private Exit kicked() throws HostException {
    SystemRegisters system = kvm.systemRegisters();
    if (system.privilege() == 3) {
      stopUser(system);
      entering = false;
    } else {
      entering = register(Register.RIP) - GuestPages.BASE < GuestPages.RESUME;
    }
    return null;
  }

  /** Saves the user's registers without an entry through a gate, and goes to ring 0. */
  private void stopUser(SystemRegisters system) throws HostException {
    user.copyFrom(kvm.registers());
    entry.paid();
    system.setMode(GuestPages.KERNEL_CS, GuestPages.KERNEL_SS);
    kvm.setSystemRegisters();
  }

  private Exit stray(long physical, boolean write) throws HostException {
    Exit.StrayAccess first = new Exit.StrayAccess(physical, write);
    user.copyFrom(kvm.registers());
    kvm.exitImmediately(true);
    for (int i = 0; i < MOST_PARTS; i++) {
      if (kvm.run() == KvmExit.Plain.INTERRUPTED) {
        MemorySegment stopped = MemorySegment.ofArray(user.toArray(ValueLayout.JAVA_LONG));
        Exit exit = broken(first);
        user.copyFrom(stopped);
        return exit;
      }
    }
    return new Exit.Failed("access to 0x%x does not end".formatted(physical));
  }

  /** An exit in the middle of an instruction. */
  private Exit broken(Exit exit) throws HostException {
    SystemRegisters system = kvm.systemRegisters();
    if (system.privilege() != 3) {
      return new Exit.Failed(
          "%s at 0x%x in the kernel half".formatted(exit, register(Register.RIP)));
    }
    stopUser(system);
    return exit;
  }

  /**
   * Clears all that user mode can set, as at the start of a program.
   *
   * @throws HostException if KVM refuses
   */
  public void clear() throws HostException {
    user.fill((byte) 0);
    clearExtendedState();
    SystemRegisters system = kvm.systemRegisters();
    system.setData(GuestPages.USER_SS);
    kvm.setSystemRegisters();
  }

  /**
   * Clears floating point and vector registers, as at the start of a program.
   *
   * @throws HostException if KVM refuses
   */
  public void clearExtendedState() throws HostException {
    kvm.loadExtendedState(pool.cleanState());
  }

  /**
   * Takes over all that user mode can set of another processor, as fork does: registers, the bases
   * of FS and GS, the extended state.
   *
   * @param other a processor that the calling thread runs
   * @throws HostException if KVM refuses
   */
  public void copyState(VirtualProcessor other) throws HostException {
    user.copyFrom(other.user);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = KvmProcessor.allocateExtendedState(arena);
      other.kvm.saveExtendedState(state);
      kvm.loadExtendedState(state);
    }
    SystemRegisters from = other.kvm.systemRegisters();
    SystemRegisters system = kvm.systemRegisters();
    system.setFsBase(from.fsBase());
    system.setGsBase(from.gsBase());
    kvm.setSystemRegisters();
  }

  /** Forgets the thread before, and its interrupt. */
  void forgetThread() {
    mmu.takeInterrupt();
    thread = null;
  }

  /**
   * Leaves the address space and goes back to the pool.
   *
   * @throws HostException if KVM refuses
   */
  @Override
  public void close() throws HostException {
    leave();
    pool.giveBack(this);
  }
}
