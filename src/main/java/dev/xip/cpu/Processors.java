package dev.xip.cpu;

import dev.xip.base.Errno;
import dev.xip.host.HostException;
import dev.xip.host.KvmAbsentException;
import dev.xip.host.KvmMachine;
import dev.xip.host.KvmProcessor;
import dev.xip.pagetable.EntryLayout;
import dev.xip.phys.PhysicalMemory;
import dev.xip.vm.MapException;
import dev.xip.vm.MemoryManager;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The virtual processors of a machine, which all see its physical memory. KVM never gives a
 * processor back before its machine ends, so they are kept in a pool.
 */
public final class Processors implements AutoCloseable {
  private static final int X86_64 = 0;
  private static final int X86_64_OF_2008 = 5;

  private final PhysicalMemory memory;
  private final KvmMachine machine;
  private final Slots slots;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment cleanState;
  private KernelHalf kernel;
  private boolean entersByStub;
  private boolean shadowed;

  /** Guarded by this object's monitor. */
  private final Deque<VirtualProcessor> idle = new ArrayDeque<>();

  private Processors(PhysicalMemory memory, KvmMachine machine) {
    this.memory = memory;
    this.machine = machine;
    this.slots = new Slots(memory, machine);
    this.cleanState = KvmProcessor.allocateExtendedState(arena);
  }

  /**
   * Boots the processors of a machine: gives them its memory, builds the kernel half in RAM, and
   * finds out how the hypervisor behaves.
   *
   * @param manager the machine's memory manager
   * @return the processors, to be closed before the memory is
   * @throws KvmAbsentException if this host cannot run any; the message is one line
   * @throws HostException if the system refuses
   * @throws MapException ENOMEM if RAM is used up
   * @throws IllegalArgumentException if the machine's architecture is not x86-64
   */
  public static Processors boot(MemoryManager manager)
      throws KvmAbsentException, HostException, MapException {
    if (!canRun(manager.layout())) {
      throw new IllegalArgumentException(
          Errno.EINVAL.message(
              "processors: expected a machine of x86-64, found one of %s", manager.layout()));
    }
    Processors processors = new Processors(manager.memory(), KvmMachine.create());
    boolean whole = false;
    try {
      processors.start(manager);
      whole = true;
      return processors;
    } finally {
      if (!whole) {
        processors.close();
      }
    }
  }

  /**
   * {@return whether a processor can walk page tables with the entries of a layout}
   *
   * @param layout an architecture's entries
   */
  public static boolean canRun(EntryLayout layout) {
    return layout.abiNumber() == X86_64 || layout.abiNumber() == X86_64_OF_2008;
  }

  private void start(MemoryManager manager) throws HostException, MapException {
    memory.listen(slots);
    kernel = new KernelHalf(memory);
    VirtualProcessor first = create();
    first.kvm().saveExtendedState(cleanState);
    Probe probe = new Probe(manager, kernel, first);
    entersByStub = probe.entersByStub();
    shadowed = probe.isShadowed(entersByStub);
    first.adapt(entersByStub, shadowed);
    giveBack(first);
  }

  private VirtualProcessor create() throws HostException, MapException {
    return new VirtualProcessor(this, machine.newProcessor(), kernel, arena);
  }

  /**
   * Takes a processor out of the pool, or makes one.
   *
   * @return a processor in the state of a new one, to be closed
   * @throws HostException if there can be no more (EINVAL), or the system refuses
   * @throws MapException ENOMEM if RAM is used up
   */
  public synchronized VirtualProcessor take() throws HostException, MapException {
    VirtualProcessor processor = idle.poll();
    if (processor == null) {
      processor = create();
      processor.adapt(entersByStub, shadowed);
    }
    processor.forgetThread();
    processor.clear();
    return processor;
  }

  /** The extended state that a program starts with. */
  MemorySegment cleanState() {
    return cleanState;
  }

  synchronized void giveBack(VirtualProcessor processor) {
    idle.push(processor);
  }

  /** {@return whether SYSCALL enters ring 0; if not, it ends in an undefined instruction} */
  public boolean entersByStub() {
    return entersByStub;
  }

  /**
   * {@return whether the hypervisor keeps shadows of page tables and learns only from stores of the
   * guest which ones have changed}
   */
  public boolean isShadowed() {
    return shadowed;
  }

  /** Ends all processors. Precondition: none is in use. */
  @Override
  public void close() {
    memory.forget(slots);
    machine.close();
    if (kernel != null) {
      kernel.free();
    }
    arena.close();
  }
}
