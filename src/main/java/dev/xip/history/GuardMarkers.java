package dev.xip.history;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.history.Account.Mail;
import dev.xip.history.Finding.Cell;
import dev.xip.history.Finding.Row;
import dev.xip.history.Finding.Sketch;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.PhysicalMemory;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.Advice;
import dev.xip.vm.Era;
import dev.xip.vm.FaultResult;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MapException;
import dev.xip.vm.MapRequest;
import dev.xip.vm.MemoryManager;
import dev.xip.vm.Rule;
import dev.xip.vm.Rules;
import dev.xip.vm.VmaFlags;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** 2024 to 2025: guard regions ask again which mappings fork has to copy. */
final class GuardMarkers implements Step {
  private static final EntryLayout LAYOUT = X8664Layout.INSTANCE;

  @Override
  public Account account() {
    return new Account(
        "guards",
        "2024 to 2025",
        "Guard regions: again an entry says what no struct page can",
        List.of(
            new Mail("mainline", "mm/madvise.c of 6.13"),
            new Mail("mainline", "commit f807123d578d"),
            new Mail(
                "Lorenzo Stoakes",
                "e9e9ce95b6ac17497de7f60fc110c7dd9e489e8d.1763460113.git.lorenzo.stoakes@oracle.com")),
        "MADV_GUARD_INSTALL makes addresses inside a mapping unusable without a mapping of their"
            + " own: a marker in the entry, neither empty nor present. Only the page table knows"
            + " it, so fork has to copy the entries of a mapping that it would otherwise leave for"
            + " the child to fault in: the question that 2.6.26 and 3.19 answered differently for"
            + " VM_MIXEDMAP. 6.13 gave the mapping an anon_vma to be copied, a file's too since"
            + " 6.15; 6.19 has a flag, VM_MAYBE_GUARD.",
        "vma_needs_copy of 6.19 asks for PFNMAP, MIXEDMAP, UFFD_WP, MAYBE_GUARD or an anon_vma.",
        List.of(Rule.class, Advice.class, VmaFlags.class),
        List.of(
            "dev.xip.vm.GuardRegionsTest",
            "dev.xip.vm.GuardRegionJudgeTest#theHostKernelSeesTheSameGuardRegions"));
  }

  @Override
  public void run(Findings findings) throws IOException {
    findings.add(
        new Sketch(
            List.of(
                Findings.unmarked("an empty entry", LAYOUT, LAYOUT.empty()),
                Findings.entry("guarded: special and not present", LAYOUT, LAYOUT.guard())),
            List.of(),
            ""));
    Rules now = Era.LINUX_6_19.rules();
    Rules first = now.without(Rule.GUARD_REGIONS_ANYWHERE, Rule.GUARD_FLAG);
    List<Row> rows = new ArrayList<>();
    rows.add(row(findings, "6.12", now.without(Rule.GUARD_REGIONS), false));
    rows.add(row(findings, "6.13", first, true));
    rows.add(row(findings, "6.19", now, true));
    findings.table(
        "A guard region in memory that was never touched",
        List.of("release", "madvise", "a load there", "the flag gu", "a load in the child"),
        rows);
    lost(findings, now);
  }

  private static Row row(Findings findings, String release, Rules rules, boolean expected)
      throws IOException {
    try (PhysicalMemory memory = PhysicalMemory.boot(1L << 30, 4L << 20)) {
      AddressSpace space = space(memory, rules);
      AddrRange page = page(space);
      String advised;
      try {
        space.advise(page, Advice.GUARD_INSTALL);
        advised = "ok";
      } catch (MapException e) {
        advised = e.errno().name();
      }
      AddressSpace child = space.fork("child");
      boolean inParent = isRefused(space, page.start());
      boolean inChild = isRefused(child, page.start());
      findings.expect(
          "guarded in parent and child, " + release,
          expected + ", " + expected,
          inParent + ", " + inChild);
      boolean flagged = space.vmas().getFirst().has(VmaFlags.MAYBE_GUARD);
      child.close();
      space.close();
      return Row.of(
          release,
          Cell.plain(advised),
          Cell.plain(outcome(inParent)),
          Cell.plain(flagged ? "set" : "not set"),
          Cell.plain(outcome(inChild)));
    }
  }

  private static String outcome(boolean refused) {
    return refused ? "SIGSEGV" : "a zero page";
  }

  /** {@return a process with four pages of anonymous memory, never touched} */
  private static AddressSpace space(PhysicalMemory memory, Rules rules) throws IOException {
    MemoryManager manager =
        new MemoryManager(memory, LAYOUT, FrameStrategy.SPECIAL_BIT.on(memory, LAYOUT), rules);
    AddressSpace space = manager.newAddressSpace("parent");
    space.map(MapRequest.anonymous(4 * Pages.SIZE, Access.READ_WRITE));
    return space;
  }

  private static AddrRange page(AddressSpace space) {
    return AddrRange.ofLength(space.vmas().getFirst().range().start() + Pages.SIZE, Pages.SIZE);
  }

  private static boolean isRefused(AddressSpace space, long va) {
    return space.fault(va, Access.READ) instanceof FaultResult.Refused;
  }

  /** The marker alone, without the flag and without an anon_vma. */
  private static void lost(Findings findings, Rules rules) throws IOException {
    try (PhysicalMemory memory = PhysicalMemory.boot(1L << 30, 4L << 20)) {
      AddressSpace space = space(memory, rules);
      long va = page(space).start();
      space.table().set(space.table().slotOrCreate(va), LAYOUT.guard());
      AddressSpace child = space.fork("child");
      boolean parent = isRefused(space, va);
      boolean inChild = isRefused(child, va);
      findings.broken(
          "a marker that neither flag nor anon_vma tells fork of",
          parent && !inChild ? "the parent gets SIGSEGV, the child reads a zero page" : "");
      child.close();
      space.close();
    }
  }
}
