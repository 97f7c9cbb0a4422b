package dev.xip.history;

import dev.xip.base.Access;
import dev.xip.base.AtomicContext;
import dev.xip.base.Pages;
import dev.xip.history.Account.Mail;
import dev.xip.history.Finding.Cell;
import dev.xip.history.Finding.Row;
import dev.xip.history.Finding.Sketch;
import dev.xip.mapping.DeviceMemory;
import dev.xip.mapping.PageRun;
import dev.xip.pagetable.Arm64Layout;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Level;
import dev.xip.pagetable.S390xLayout;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.PhysicalMemory;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.Era;
import dev.xip.vm.FollowedPfn;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MapRequest;
import dev.xip.vm.MemoryManager;
import dev.xip.vm.Rule;
import dev.xip.vm.Rules;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** 2024: the special bit at the levels of huge leaves, and follow_pfnmap_start. */
final class HugePfnMaps implements Step {
  private static final long GIB = 1L << 30;

  @Override
  public Account account() {
    return new Account(
        "6.12",
        "2024",
        "The bit climbs: special leaves of 2 MiB and 1 GiB",
        List.of(new Mail("Peter Xu, mainline", "commit 6da8e9634bb7")),
        "Memory of devices, mapped into guests by vfio, is large, and one entry can map 2 MiB or"
            + " 1 GiB of it. Such a leaf has to say \"no struct page\" too: the special bit exists"
            + " at those levels now, where the architecture has room. follow_pfn returned a number"
            + " that could be stale at once; follow_pfnmap_start tells number, rights, special and"
            + " size, and holds the entry lock until follow_pfnmap_end.",
        "Both are in mainline. x86-64 has the bit at both levels, arm64 at 2 MiB, s390x at"
            + " neither.",
        List.of(FollowedPfn.class, EntryLayout.class),
        List.of(
            "dev.xip.vm.FollowedPfnTest#aHugeLeafTellsItsLevelAndThatItIsSpecial",
            "dev.xip.vm.FollowedPfnTest#nothingMayBlockBeforeTheEndAndNothingIsToldAfterIt",
            "dev.xip.vm.HugeLeavesTest"));
  }

  /** Registers that are never touched: 1 GiB from the physical address 1 GiB on. */
  private record Registers() implements DeviceMemory {
    @Override
    public String name() {
      return "registers";
    }

    @Override
    public long size() {
      return GIB;
    }

    @Override
    public PageRun translate(long page) {
      return new PageRun((GIB >>> Pages.SHIFT) + page, (GIB >>> Pages.SHIFT) - page);
    }

    @Override
    public boolean isEnteredAtOnce() {
      return false;
    }
  }

  @Override
  public void run(Findings findings) throws IOException {
    List<Row> rows = new ArrayList<>();
    List<Finding.Entry> entries = new ArrayList<>();
    Rules now = Era.LINUX_6_19.rules();
    for (EntryLayout layout :
        List.of(X8664Layout.INSTANCE, Arm64Layout.INSTANCE, S390xLayout.INSTANCE)) {
      Leaf before = leaf(layout, now.without(Rule.HUGE_PFN_MAPS));
      Leaf after = leaf(layout, now);
      entries.add(Findings.entry(layout + ", " + after.level(), layout, after.entry()));
      rows.add(
          Row.of(
              layout.name(),
              Cell.plain(size(layout, before.level())),
              Cell.plain(size(layout, after.level())),
              new Cell(after.special() ? "yes" : "no", !after.special())));
      findings.expect("special, " + layout, true, after.special());
    }
    findings.add(new Sketch(entries, List.of(), "the entry lock, until follow_pfnmap_end"));
    findings.table(
        "One load from 1 GiB of device memory: what its entry maps",
        List.of("layout", "before 6.12", "6.12", "says special"),
        rows);
    held(findings);
  }

  /** What follow_pfnmap tells about the leaf that a load makes. */
  private record Leaf(Level level, long entry, boolean special) {}

  private static String size(EntryLayout layout, Level level) {
    return "%,d KiB".formatted(1L << layout.shift(level) - 10);
  }

  private static Leaf leaf(EntryLayout layout, Rules rules) throws IOException {
    try (PhysicalMemory memory = PhysicalMemory.boot(4 * GIB, 4L << 20)) {
      AddressSpace space = mapped(memory, layout, rules);
      try (FollowedPfn found = space.followPfnMap(space.vmas().getFirst().range().start())) {
        return new Leaf(found.level(), found.entry(), found.isSpecial());
      } finally {
        space.close();
      }
    }
  }

  private static AddressSpace mapped(PhysicalMemory memory, EntryLayout layout, Rules rules)
      throws IOException {
    MemoryManager manager =
        new MemoryManager(memory, layout, FrameStrategy.SPECIAL_BIT.on(memory, layout), rules);
    AddressSpace space = manager.newAddressSpace("guest");
    long start = space.map(MapRequest.shared(new Registers(), Access.READ).at(4 * GIB)).start();
    space.fault(start, Access.READ).orThrow();
    return space;
  }

  private static void held(Findings findings) throws IOException {
    try (PhysicalMemory memory = PhysicalMemory.boot(4 * GIB, 4L << 20)) {
      AddressSpace space = mapped(memory, X8664Layout.INSTANCE, Era.LINUX_6_19.rules());
      long start = space.vmas().getFirst().range().start();
      FollowedPfn found = space.followPfnMap(start + 3 * Pages.SIZE);
      findings.expect("the pfn inside the leaf", (GIB >>> Pages.SHIFT) + 3, found.pfn().value());
      findings.broken(
          "sleeping between start and end",
          Trial.textOf(() -> AtomicContext.mightSleep("a mutex")));
      found.close();
      findings.broken("using the number after the end", Trial.textOf(found::pfn));
      space.close();
    }
  }
}
