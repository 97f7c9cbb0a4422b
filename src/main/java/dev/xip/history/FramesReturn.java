package dev.xip.history;

import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.file.MemoryFile;
import dev.xip.history.Account.Mail;
import dev.xip.history.Finding.Cell;
import dev.xip.history.Finding.Row;
import dev.xip.history.Finding.Sketch;
import dev.xip.phys.PageFrames;
import dev.xip.phys.Region;
import dev.xip.phys.RegionFrames;
import dev.xip.process.DirectIo;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.DumpPages;
import dev.xip.vm.GetUserPages;
import dev.xip.vm.MapException;
import dev.xip.vm.PinnedPages;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** 2015 to 2018: DAX goes back to struct pages. */
final class FramesReturn implements Step {
  private static final long GIB = 1L << 30;

  private static final String WORKS = "works";

  /** The size of struct page in 2.6.26 without memory cgroups. */
  private static final long RECORD_OF_2008 = 56;

  @Override
  public Account account() {
    return new Account(
        "dax",
        "2015 to 2018",
        "The decision is turned round: DAX goes back to struct pages",
        List.of(
            new Mail("mainline", "commit 033fbae988fc"),
            new Mail("Dan Williams, October 2017", "commit 569d0365f571"),
            new Mail("Dave Jiang, June 2018", "commit e1fb4a086495")),
        "In 4.0 DAX takes the place of filemap_xip, with the same special entries. But whatever"
            + " hands out pages fails on them: O_DIRECT from or into a mapping, ptrace, RDMA, core"
            + " dumps. ZONE_DEVICE gives the memory of a device struct pages when the driver"
            + " appears (devm_memremap_pages); from 2017 DAX refuses devices without them, except"
            + " those of s390. In June 2018 DAX gives up VM_MIXEDMAP.",
        "DAX has struct pages on every architecture. The price is what the segments of 2008 did not"
            + " want to pay: 64 bytes for each page, in each guest.",
        List.of(RegionFrames.class, PageFrames.class, DirectIo.class),
        List.of(
            "dev.xip.vm.RegionFramesTest#directIoGoesOutOfAMappingAndIntoOne",
            "dev.xip.vm.RegionFramesTest#aCoreDumpHasThePageUnlessItHasNoFrame",
            "dev.xip.vm.RegionFramesTest#theMemMapGrowsBy64BytesForEachPageOrNotAtAll"));
  }

  /** Something that needs the page frames of a process's memory. */
  @FunctionalInterface
  private interface Use {
    boolean works(AddressSpace space, long va) throws IOException;
  }

  @Override
  public void run(Findings findings) throws IOException {
    findings.add(
        new Sketch(List.of(entry(RegionFrames.NONE), entry(RegionFrames.COUNTED)), List.of(), ""));
    findings.part(
        "What becomes possible",
        "A file on a device of memory, mapped shared, on three machines that differ in the page"
            + " frames of the device. Each use asks get_user_pages for the page.");
    findings.table(
        "A use of the mapped page",
        DaxMachine.columns("use"),
        List.of(
            row(findings, "write(2) with O_DIRECT out of the mapping", FramesReturn::directWrite),
            row(findings, "read(2) with O_DIRECT into the mapping", FramesReturn::directRead),
            row(findings, "ptrace reads a word", FramesReturn::peek),
            row(findings, "the page is in a core dump", FramesReturn::dump)));
    findings.part("What it costs", "A segment of 1 GiB is loaded on each machine.");
    for (RegionFrames kind : RegionFrames.values()) {
      long grown = grownPerGib(kind);
      long expected = kind == RegionFrames.NONE ? 0 : (GIB >>> Pages.SHIFT) * 64;
      findings.fact(
          "mem_map grows by, " + DaxMachine.column(kind),
          "%,d bytes".formatted(grown),
          grown == expected);
    }
    long each = grownPerGib(RegionFrames.COUNTED);
    findings.seen(
        "the same with the struct page of 2008, 56 bytes",
        "%,d bytes".formatted(each / PageFrames.RECORD_BYTES * RECORD_OF_2008));
    findings.expect(
        "guests from which on the struct pages weigh more than the segment that they share",
        65L,
        GIB / each + 1);
  }

  private static Finding.Entry entry(RegionFrames kind) throws IOException {
    try (DaxMachine machine = DaxMachine.boot(kind)) {
      AddressSpace space = machine.user(DaxMachine.file(machine.blocks(true), "data", 1));
      return Findings.entry(DaxMachine.column(kind), machine.layout(), DaxMachine.entry(space));
    }
  }

  private static Row row(Findings findings, String what, Use use) throws IOException {
    List<Cell> cells = new ArrayList<>();
    for (RegionFrames kind : RegionFrames.values()) {
      String seen = tryOn(kind, use);
      boolean expected = kind != RegionFrames.NONE;
      if (seen.equals(WORKS) != expected) {
        findings.fact(what + ", " + DaxMachine.column(kind), seen, false);
      }
      cells.add(Cell.plain(seen));
    }
    return new Row(what, cells);
  }

  private static String tryOn(RegionFrames kind, Use use) throws IOException {
    try (DaxMachine machine = DaxMachine.boot(kind)) {
      MemoryFile file = DaxMachine.file(machine.blocks(true), "data", 42);
      AddressSpace space = machine.user(file);
      return use.works(space, DaxMachine.address(space)) ? WORKS : "left out";
    } catch (MapException e) {
      return e.errno().name();
    }
  }

  private static boolean directWrite(AddressSpace space, long va) throws IOException {
    long[] disk = new long[512];
    return new DirectIo(space, MemorySegment.ofArray(disk)).write(va, 0, Pages.SIZE) == Pages.SIZE
        && disk[0] == 42;
  }

  private static boolean directRead(AddressSpace space, long va) throws IOException {
    long[] disk = new long[512];
    disk[0] = 7;
    MemoryFile file = (MemoryFile) space.vmas().getFirst().file();
    return new DirectIo(space, MemorySegment.ofArray(disk)).read(va, 0, Pages.SIZE) == Pages.SIZE
        && DaxMachine.number(file) == 7;
  }

  private static boolean peek(AddressSpace space, long va) throws IOException {
    long[] word = new long[1];
    GetUserPages pages = space.getUserPages();
    try (PinnedPages page = pages.pin(va, 1, false, true)) {
      page.read(0, 0, MemorySegment.ofArray(word));
    }
    return word[0] == 42;
  }

  private static boolean dump(AddressSpace space, long va) {
    try (PinnedPages page = new DumpPages(space).page(va)) {
      return page.count() == 1;
    }
  }

  private static long grownPerGib(RegionFrames kind) throws IOException {
    try (DaxMachine machine = DaxMachine.boot(kind)) {
      long before = machine.frames().bytes();
      Region segment = machine.memory().claim("SEGMENT", AddrRange.ofLength(GIB, GIB), true);
      long grown = machine.frames().bytes() - before;
      machine.memory().release(segment);
      return grown;
    }
  }
}
