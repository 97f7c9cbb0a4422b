package dev.xip.cpu;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.host.GuestPages;
import dev.xip.host.HostFile;
import dev.xip.host.Register;
import dev.xip.host.Sharing;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.PageRun;
import dev.xip.pagetable.Walk;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.Region;
import dev.xip.testing.Judge;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.FaultResult;
import dev.xip.vm.MemoryManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A machine with processors, and a file in a segment whose page N is full of the byte N + 1. */
final class GuestMachine implements AutoCloseable {
  /** The physical address of the file's first page, 2 MiB aligned. */
  static final long SEGMENT = 64L << 20;

  /** The file's pages: two leaves of 2 MiB. */
  static final int FILE_PAGES = 1024;

  /** The offset in each page of a byte that, fetched as an instruction, traps. */
  static final int TRAP = 0xff0;

  static final byte INT3 = (byte) 0xcc;

  static final int BREAKPOINT = 3;

  final PhysicalMemory memory;
  final MemoryManager manager;
  final Processors processors;
  final Region region;
  final Mappable file = new SegmentFile();
  long filePages = FILE_PAGES;

  GuestMachine(Path folder) throws IOException {
    Judge.kvm();
    memory = PhysicalMemory.boot(1L << 30, 32L << 20);
    region = memory.claim("FILE", AddrRange.ofLength(SEGMENT, FILE_PAGES * Pages.SIZE), true);
    Path data = Files.write(folder.resolve("data"), content());
    try (HostFile host = HostFile.openReadOnly(data)) {
      memory.mapFile(region, 0, host, 0, FILE_PAGES * Pages.SIZE, Access.READ, Sharing.SHARED);
    }
    manager = new MemoryManager(memory, X8664Layout.INSTANCE);
    processors = Processors.boot(manager);
  }

  private final class SegmentFile implements Mappable {
    @Override
    public String name() {
      return "segment-file";
    }

    @Override
    public long size() {
      return filePages * Pages.SIZE;
    }

    @Override
    public PageRun translate(long page) {
      return new PageRun((SEGMENT >>> Pages.SHIFT) + page, filePages - page);
    }
  }

  private static byte[] content() {
    byte[] bytes = new byte[(int) (FILE_PAGES * Pages.SIZE)];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (i & 0xfff) == TRAP ? INT3 : fileByte(i >>> Pages.SHIFT);
    }
    return bytes;
  }

  static byte fileByte(long page) {
    return (byte) (page + 1);
  }

  /** Loads a byte and answers the faults; the exit is a system call, with the byte in RAX. */
  static Exit load(VirtualProcessor cpu, long va) throws IOException {
    return access(cpu, GuestPages.BASE + GuestPages.USER_LOAD, va, 0);
  }

  static Exit store(VirtualProcessor cpu, long va, int value) throws IOException {
    return access(cpu, GuestPages.BASE + GuestPages.USER_STORE, va, value);
  }

  static Exit fetch(VirtualProcessor cpu, long va) throws IOException {
    return access(cpu, va, 0, 0);
  }

  private static Exit access(VirtualProcessor cpu, long rip, long rdi, long rsi)
      throws IOException {
    prepare(cpu, rip, rdi, rsi);
    while (true) {
      Exit exit = cpu.run();
      if (!(exit instanceof Exit.PageFault fault)
          || cpu.space().fault(fault.address(), fault.access()) instanceof FaultResult.Refused) {
        return exit;
      }
    }
  }

  /** Makes one attempt. */
  static Exit attempt(VirtualProcessor cpu, long rip, long rdi, long rsi) throws IOException {
    prepare(cpu, rip, rdi, rsi);
    return cpu.run();
  }

  static void prepare(VirtualProcessor cpu, long rip, long rdi, long rsi) {
    cpu.set(Register.RIP, rip);
    cpu.set(Register.RDI, rdi);
    cpu.set(Register.RSI, rsi);
  }

  static byte loaded(VirtualProcessor cpu) {
    return (byte) cpu.get(Register.RAX);
  }

  static Walk walk(AddressSpace space, long va) {
    Walk walk = new Walk();
    space.table().walk(va, walk);
    return walk;
  }

  @Override
  public void close() {
    processors.close();
    manager.spaces().forEach(AddressSpace::close);
    memory.close();
  }
}
