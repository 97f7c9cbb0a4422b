package dev.xip.cpu;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import dev.xip.host.GuestPages;
import dev.xip.host.HostException;
import dev.xip.host.Register;
import dev.xip.pagetable.PageTable;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.MapException;
import dev.xip.vm.MemoryManager;

/**
 * Finds out, from user mode, where hypervisors differ: whether SYSCALL enters ring 0, and whether
 * changes that the host makes in page tables are seen after a flush.
 */
final class Probe {
  /** Not the first entry of a table: that is the only one which some stores make visible. */
  private static final long VA = 0x40_3000;

  private final MemoryManager manager;
  private final KernelHalf kernel;
  private final VirtualProcessor processor;

  Probe(MemoryManager manager, KernelHalf kernel, VirtualProcessor processor) {
    this.manager = manager;
    this.kernel = kernel;
    this.processor = processor;
  }

  /** Whether SYSCALL enters the stub in ring 0. */
  boolean entersByStub() throws HostException {
    processor.adapt(true, false);
    Exit direct = call(GuestPages.USER_CALL, 0);
    if (direct == Exit.SystemCall.CALL) {
      return true;
    }
    processor.adapt(false, false);
    Exit undefined = call(GuestPages.USER_CALL, 0);
    if (undefined != Exit.SystemCall.CALL) {
      throw new IllegalStateException(
          "SYSCALL: expected an entry into ring 0 or an undefined instruction, found %s and %s"
              .formatted(direct, undefined));
    }
    return false;
  }

  /** Whether the hypervisor shadows page tables and misses what the host stores into them. */
  boolean isShadowed(boolean entersByStub) throws HostException, MapException {
    long first = kernel.allocate();
    long second = kernel.allocate();
    kernel.memory(first).fill((byte) 1);
    kernel.memory(second).fill((byte) 2);
    try (AddressSpace space = manager.newAddressSpace("probe")) {
      processor.adapt(entersByStub, false);
      boolean missed = !seesChange(space, first, second);
      if (missed) {
        processor.adapt(entersByStub, true);
        if (!seesChange(space, first, second)) {
          throw new IllegalStateException(
              "page tables: expected stores of the guest to make changes visible, found none");
        }
      }
      return missed;
    }
  }

  private boolean seesChange(AddressSpace space, long first, long second)
      throws HostException, MapException {
    PageTable table = space.table();
    long slot = table.slotOrCreate(VA);
    processor.use(space);
    try {
      table.set(slot, table.layout().leaf(first >>> Pages.SHIFT, Access.READ));
      int before = load();
      table.take(slot);
      table.set(slot, table.layout().leaf(second >>> Pages.SHIFT, Access.READ));
      table.flushMmus();
      int after = load();
      if (before != 1) {
        throw new IllegalStateException("user mode: expected to load 1, found " + before);
      }
      return after == 2;
    } finally {
      table.take(slot);
      processor.leave();
    }
  }

  private int load() throws HostException {
    Exit exit = call(GuestPages.USER_LOAD, VA);
    if (exit != Exit.SystemCall.CALL) {
      throw new IllegalStateException("user mode: expected a load, found " + exit);
    }
    return (int) processor.get(Register.RAX);
  }

  private Exit call(long code, long rdi) throws HostException {
    processor.set(Register.RIP, GuestPages.BASE + code);
    processor.set(Register.RDI, rdi);
    return processor.run();
  }
}
