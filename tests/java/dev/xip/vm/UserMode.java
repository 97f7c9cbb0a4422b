package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import dev.xip.cpu.Exit;
import dev.xip.cpu.Processors;
import dev.xip.cpu.VirtualProcessor;
import dev.xip.host.GuestPages;
import dev.xip.host.Register;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.FlushDuty;
import dev.xip.pagetable.Level;
import dev.xip.pagetable.PageTable;
import dev.xip.pagetable.Walk;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;

/**
 * User mode on a processor for each space makes the accesses. Each is compared with what a reader
 * sees and with the marks that the MMU has to make in the entry; now and then the marks are removed
 * before, or an instruction is fetched from the page.
 */
final class UserMode implements JudgedMachine.Program {
  private static final int BREAKPOINT = 3;
  private static final int MOST_FAULTS = 20;

  private final Processors processors;
  private final Map<AddressSpace, VirtualProcessor> running = new HashMap<>();
  private Random random = new Random();
  private long onHugeLeaves;

  UserMode(MemoryManager manager) throws IOException {
    processors = Processors.boot(manager);
  }

  void seed(long seed) {
    random = new Random(seed);
  }

  /** How many loads and stores went through a leaf above the lowest level. */
  long onHugeLeaves() {
    return onHugeLeaves;
  }

  private VirtualProcessor processor(AddressSpace space) throws IOException {
    VirtualProcessor processor = running.get(space);
    if (processor == null) {
      processor = processors.take();
      processor.use(space);
      running.put(space, processor);
    }
    return processor;
  }

  @Override
  public byte load(AddressSpace space, long va) throws IOException {
    boolean unmarked = random.nextInt(3) == 0 && unmark(space, va);
    try {
      VirtualProcessor cpu = access(space, GuestPages.BASE + GuestPages.USER_LOAD, va, 0);
      byte loaded = (byte) cpu.get(Register.RAX);
      EntryLayout layout = space.table().layout();
      assertThat(layout.isYoung(entry(space, va))).as("young at 0x%x", va).isTrue();
      assertThat(unmarked && layout.isDirty(entry(space, va))).as("dirty at 0x%x", va).isFalse();
      assertThat(loaded).as("0x%x", va).isEqualTo(new AddressReader(space).getByte(va));
      fetchNowAndThen(space, va);
      return loaded;
    } catch (MemoryFaultException refused) {
      assertRefused(space, va, refused);
      fetchNowAndThen(space, va);
      throw refused;
    }
  }

  private static void assertRefused(AddressSpace space, long va, MemoryFaultException refused) {
    try {
      byte read = new AddressReader(space).getByte(va);
      throw new AssertionError("0x%x: the reader sees %02x, %s".formatted(va, read, refused));
    } catch (MemoryFaultException same) {
      assertThat(same).hasSameClassAs(refused);
    }
  }

  @Override
  public void store(AddressSpace space, long va, byte value) throws IOException {
    if (random.nextInt(3) == 0) {
      unmark(space, va);
    }
    access(space, GuestPages.BASE + GuestPages.USER_STORE, va, value);
    EntryLayout layout = space.table().layout();
    long pte = entry(space, va);
    assertThat(layout.isYoung(pte) && layout.isDirty(pte) && layout.isWritable(pte))
        .as("young, dirty and writable at 0x%x: %s", va, layout.describe(pte))
        .isTrue();
    Vma vma = space.find(va);
    if (!vma.access().equals(Access.NONE)) {
      assertThat(new AddressReader(space).getByte(va)).as("0x%x", va).isEqualTo(value);
    }
  }

  /** Fetches an instruction that traps, or one that loads from address 0, where nothing is. */
  private void fetchNowAndThen(AddressSpace space, long va) throws IOException {
    if (random.nextInt(4) != 0) {
      return;
    }
    long target = va & -Pages.SIZE | JudgedMachine.TRAP;
    Vma vma = space.find(target);
    boolean executable = vma != null && vma.access().execute();
    String expected = executable ? outcome(space, target) : "SegmentationFault";
    String found = "fetched";
    try {
      access(space, target, 0, 0);
    } catch (MemoryFaultException refused) {
      found = refused.getClass().getSimpleName();
    }
    assertThat(found).as("fetch from 0x%x of %s", target, vma).isEqualTo(expected);
  }

  private static String outcome(AddressSpace space, long va) {
    try {
      new AddressReader(space).getByte(va);
      return "fetched";
    } catch (MemoryFaultException refused) {
      return refused.getClass().getSimpleName();
    }
  }

  /** Makes an access and answers its faults, or throws what the fault handler says. */
  private VirtualProcessor access(AddressSpace space, long rip, long rdi, int rsi)
      throws IOException {
    VirtualProcessor cpu = processor(space);
    boolean fetch = rdi == 0;
    cpu.set(Register.RIP, rip);
    cpu.set(Register.RDI, rdi);
    cpu.set(Register.RSI, rsi);
    cpu.set(Register.RAX, 0);
    for (int i = 0; i < MOST_FAULTS; i++) {
      Exit exit = cpu.run();
      if (exit == Exit.SystemCall.CALL && !fetch || fetch && isFetched(exit)) {
        return cpu;
      }
      assertThat(exit).isInstanceOf(Exit.PageFault.class);
      Exit.PageFault fault = (Exit.PageFault) exit;
      Access expected =
          fetch
              ? Access.EXECUTE
              : rip == GuestPages.BASE + GuestPages.USER_STORE ? Access.WRITE : Access.READ;
      assertThat(fault.access()).isEqualTo(expected);
      assertThat(fault.address()).isEqualTo(fetch ? rip : rdi);
      assertThat(cpu.get(Register.RIP)).isEqualTo(rip);
      if (space.fault(fault.address(), fault.access())
          instanceof FaultResult.Refused(MemoryFaultException cause)) {
        throw cause;
      }
    }
    throw new AssertionError("0x%x: still faults after %d answers".formatted(rdi, MOST_FAULTS));
  }

  private static boolean isFetched(Exit exit) {
    return exit.equals(new Exit.Trap(BREAKPOINT, 0))
        || exit instanceof Exit.PageFault fault && fault.address() == 0;
  }

  private long entry(AddressSpace space, long va) {
    Walk walk = new Walk();
    space.table().walk(va, walk);
    if (walk.level() != Level.PTE) {
      onHugeLeaves++;
    }
    return walk.pte();
  }

  /** Makes the entry old and clean; false if there is none that the MMU uses. */
  private static boolean unmark(AddressSpace space, long va) {
    PageTable table = space.table();
    EntryLayout layout = table.layout();
    Walk walk = new Walk();
    if (!table.walk(va, walk) || !layout.isValid(walk.pte(), walk.level())) {
      return false;
    }
    FlushDuty duty = FlushDuty.NONE;
    while (duty == FlushDuty.NONE) {
      long pte = table.get(walk.slot());
      duty = table.replace(walk.slot(), pte, layout.withOld(layout.withClean(pte)));
    }
    space.mm().flush(duty);
    return true;
  }

  @Override
  public void ends(AddressSpace space) throws IOException {
    VirtualProcessor processor = running.remove(space);
    if (processor != null) {
      processor.close();
    }
  }

  @Override
  public void close() {
    processors.close();
  }
}
