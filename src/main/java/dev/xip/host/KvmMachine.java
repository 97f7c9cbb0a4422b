package dev.xip.host;

import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.base.Pages;
import dev.xip.bindings.Guest;
import dev.xip.bindings.Kvm;
import dev.xip.bindings.Libc;
import dev.xip.bindings.kvm_cpuid2;
import dev.xip.bindings.kvm_cpuid_entry2;
import dev.xip.bindings.kvm_userspace_memory_region;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A virtual machine of KVM: slots of physical memory, and processors. There is no interrupt
 * controller, so that HLT ends {@link KvmProcessor#run}. x86-64.
 *
 * <p>All methods may be called from any thread. Precondition of {@link #close}: no processor runs.
 */
public final class KvmMachine implements AutoCloseable {
  private static final FileName DEVICE = FileName.of("/dev/kvm");
  private static final int CPUID_ENTRIES = 256;

  /** The capabilities that are needed, by name, to be at least 1 each. */
  private static final Map<String, Integer> NEEDED =
      new TreeMap<>(
          Map.of(
              "KVM_CAP_USER_MEMORY", Kvm.KVM_CAP_USER_MEMORY(),
              "KVM_CAP_SYNC_MMU", Kvm.KVM_CAP_SYNC_MMU(),
              "KVM_CAP_READONLY_MEM", Kvm.KVM_CAP_READONLY_MEM(),
              "KVM_CAP_EXT_CPUID", Kvm.KVM_CAP_EXT_CPUID(),
              "KVM_CAP_XSAVE", Kvm.KVM_CAP_XSAVE(),
              "KVM_CAP_XCRS", Kvm.KVM_CAP_XCRS(),
              "KVM_CAP_SYNC_REGS", Kvm.KVM_CAP_SYNC_REGS(),
              "KVM_CAP_IMMEDIATE_EXIT", Kvm.KVM_CAP_IMMEDIATE_EXIT()));

  private final int fd;
  private final int runBytes;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment cpuid;

  /** The slots in use by their number. Guarded by this object's monitor. */
  private final TreeMap<Integer, AddrRange> slots = new TreeMap<>();

  /** Guarded by this object's monitor. */
  private final List<KvmProcessor> processors = new ArrayList<>();

  private final int maximumSlots;
  private boolean closed;

  private KvmMachine(int system) throws HostException, KvmAbsentException {
    requireCapabilities(system);
    maximumSlots = capability(system, Kvm.KVM_CAP_NR_MEMSLOTS());
    runBytes = KvmCalls.request(system, "KVM_GET_VCPU_MMAP_SIZE", Kvm.KVM_GET_VCPU_MMAP_SIZE(), 0);
    cpuid =
        arena.allocate(kvm_cpuid2.sizeof() + CPUID_ENTRIES * kvm_cpuid_entry2.sizeof(), Long.BYTES);
    kvm_cpuid2.nent(cpuid, CPUID_ENTRIES);
    KvmCalls.request(
        system, "KVM_GET_SUPPORTED_CPUID", Kvm.KVM_GET_SUPPORTED_CPUID(), cpuid, "256 entries");
    int kick = Guest.xip_kick_prepare();
    if (kick < 0) {
      throw new HostException("sigaction", "the signal that stops a processor", -kick);
    }
    fd = KvmCalls.request(system, "KVM_CREATE_VM", Kvm.KVM_CREATE_VM(), 0);
  }

  /**
   * Makes a machine without memory and processors.
   *
   * @return the machine, to be closed
   * @throws KvmAbsentException if this host cannot run any
   * @throws HostException if the system refuses
   */
  public static KvmMachine create() throws HostException, KvmAbsentException {
    requireArchitecture(System.getProperty("os.arch"));
    Libxip.get();
    int system = open(DEVICE);
    try {
      return new KvmMachine(system);
    } finally {
      FileCalls.close(system);
    }
  }

  static void requireArchitecture(String architecture) throws KvmAbsentException {
    if (!architecture.equals("amd64")) {
      throw new KvmAbsentException(
          "this host is " + architecture, "they exist on x86-64 (amd64) alone");
    }
  }

  static int open(FileName device) throws HostException, KvmAbsentException {
    try {
      return FileCalls.open(device, Libc.O_RDWR() | Libc.O_CLOEXEC(), 0);
    } catch (HostException refused) {
      throw absent(device, refused);
    }
  }

  private static KvmAbsentException absent(FileName device, HostException refused)
      throws HostException {
    return switch (refused.errno()) {
      case ENOENT, ENODEV, ENXIO ->
          new KvmAbsentException(
              device + " is not there",
              "modprobe kvm_intel or kvm_amd; in a virtual machine, its host must allow nesting");
      case EACCES, EPERM ->
          new KvmAbsentException(
              "no right to open " + device, "join its group: usermod -aG kvm USER, then log in");
      default -> throw refused;
    };
  }

  private static void requireCapabilities(int system) throws HostException, KvmAbsentException {
    int version = KvmCalls.request(system, "KVM_GET_API_VERSION", Kvm.KVM_GET_API_VERSION(), 0);
    if (version != Kvm.KVM_API_VERSION()) {
      throw new KvmAbsentException(
          "KVM has API version %d, expected %d".formatted(version, Kvm.KVM_API_VERSION()),
          "it needs Linux 2.6.22 or newer");
    }
    List<String> missing = new ArrayList<>();
    for (Map.Entry<String, Integer> needed : NEEDED.entrySet()) {
      if (capability(system, needed.getValue()) < 1) {
        missing.add(needed.getKey());
      }
    }
    if (!missing.isEmpty()) {
      throw new KvmAbsentException(
          "KVM lacks " + String.join(", ", missing), "it needs Linux 4.17 or newer");
    }
  }

  private static int capability(int system, int number) throws HostException {
    return KvmCalls.request(system, "KVM_CHECK_EXTENSION", Kvm.KVM_CHECK_EXTENSION(), number);
  }

  /**
   * Adds a slot: physical memory that is memory of this process. Processors may be running.
   *
   * @param physical the physical address of the first byte, page aligned
   * @param memory whole pages, which stay mapped until the slot is removed; what is mapped there
   *     may change
   * @param readOnly whether every store of a processor is refused
   * @return the slot's number
   * @throws HostException if it overlaps another slot (EEXIST), or the system refuses
   */
  public synchronized int addSlot(long physical, MemorySegment memory, boolean readOnly)
      throws HostException {
    Pages.requireAligned(physical, "physical address");
    Pages.requireAligned(Args.nativeMemory(memory, "memory").address(), "memory");
    AddrRange range = AddrRange.ofLength(physical, Args.wholePages(memory.byteSize(), "size"));
    int number = 0;
    while (slots.containsKey(number)) {
      number++;
    }
    if (number >= maximumSlots) {
      throw new HostException(
          "KVM_SET_USER_MEMORY_REGION", "slot=%d".formatted(number), Errno.ENOSPC);
    }
    change(number, physical, memory.address(), memory.byteSize(), readOnly);
    slots.put(number, range);
    return number;
  }

  /**
   * Removes a slot. When this returns, no processor uses its memory any more.
   *
   * @param number the slot's number
   * @throws HostException if the system refuses
   */
  public synchronized void removeSlot(int number) throws HostException {
    AddrRange range = slots.get(number);
    if (range == null) {
      throw new IllegalArgumentException("slot %d: expected one in use".formatted(number));
    }
    change(number, range.start(), 0, 0, false);
    slots.remove(number);
  }

  private void change(int number, long physical, long address, long bytes, boolean readOnly)
      throws HostException {
    requireOpen();
    try (Arena struct = Arena.ofConfined()) {
      MemorySegment slot = kvm_userspace_memory_region.allocate(struct);
      kvm_userspace_memory_region.slot(slot, number);
      kvm_userspace_memory_region.flags(slot, readOnly ? (int) Kvm.KVM_MEM_READONLY() : 0);
      kvm_userspace_memory_region.guest_phys_addr(slot, physical);
      kvm_userspace_memory_region.memory_size(slot, bytes);
      kvm_userspace_memory_region.userspace_addr(slot, address);
      KvmCalls.request(
          fd,
          "KVM_SET_USER_MEMORY_REGION",
          Kvm.KVM_SET_USER_MEMORY_REGION(),
          slot,
          "slot=%d, guest_phys_addr=0x%x, memory_size=0x%x, userspace_addr=0x%x, flags=0x%x"
              .formatted(number, physical, bytes, address, readOnly ? Kvm.KVM_MEM_READONLY() : 0));
    }
  }

  /**
   * Makes a processor that has every feature of the host's that KVM supports. It exists until the
   * machine is closed.
   *
   * @return the processor, in the state after a reset
   * @throws HostException if there is no further one (EINVAL, EMFILE), or the system refuses
   */
  public synchronized KvmProcessor newProcessor() throws HostException {
    requireOpen();
    int id = processors.size();
    int vcpu = KvmCalls.request(fd, "KVM_CREATE_VCPU", Kvm.KVM_CREATE_VCPU(), id);
    KvmProcessor processor;
    try {
      processor = new KvmProcessor(vcpu, id, runBytes);
    } catch (HostException | RuntimeException refused) {
      FileCalls.close(vcpu);
      throw refused;
    }
    processors.add(processor);
    KvmCalls.request(
        vcpu, "KVM_SET_CPUID2", Kvm.KVM_SET_CPUID2(), cpuid, kvm_cpuid2.nent(cpuid) + " entries");
    return processor;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the machine is closed");
    }
  }

  /** Ends the machine and its processors; a second time does nothing. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      processors.forEach(KvmProcessor::close);
      FileCalls.close(fd);
      arena.close();
    }
  }
}
