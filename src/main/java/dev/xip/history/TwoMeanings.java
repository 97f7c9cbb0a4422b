package dev.xip.history;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.history.Account.Mail;
import dev.xip.history.Finding.Cell;
import dev.xip.history.Finding.Row;
import dev.xip.history.Finding.Sketch;
import dev.xip.measure.NormalPageMachine;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.FlatModel;
import dev.xip.phys.LraModel;
import dev.xip.phys.MemoryModel;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.Region;
import dev.xip.phys.RegionBusyException;
import dev.xip.phys.SortedArrayModel;
import dev.xip.phys.SparseModel;
import dev.xip.vm.FrameStrategy;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** 10 to 13 January 2008: what pfn_valid means, and that the answer changes at run time. */
final class TwoMeanings implements Step {
  private static final AddrRange LATE = AddrRange.ofLength(512L << 20, 1L << 20);

  /** Where the machine's segment lies. */
  private static final long SEGMENT_PFN = (1L << 30) >>> Pages.SHIFT;

  /** In no section of RAM and in no region: flash that only a driver knows. */
  private static final long FLASH_PFN = (768L << 20) >>> Pages.SHIFT;

  @Override
  public Account account() {
    return new Account(
        "10-jan",
        "10 to 13 January 2008",
        "Is pfn_valid \"there is memory\" or \"there is a struct page\"?",
        List.of(
            new Mail("Carsten Otte", "4785D064.1040501@de.ibm.com"),
            new Mail("Carsten Otte", "47872CA7.40802@de.ibm.com"),
            new Mail("Nick Piggin", "20080113024410.GA22285@wotan.suse.de")),
        "On ARM pfn_valid means \"there is a struct page\", on s390 \"there is memory\". Hulbert"
            + " has two kinds of page: RAM with a struct page, and flash known by its pfn alone."
            + " Otte adds a third: memory that can be touched, perhaps only for reading, without a"
            + " struct page; segments are loaded by hypercall while the system runs, and may leave"
            + " again. Piggin: xip_file_fault would always use vm_insert_pfn and trust the bit,"
            + " which breaks architectures without one. So either s390's pfn_valid learns about"
            + " segments, or a new vm_insert_mixedmap_pfn() hides the difference.",
        "The second way was taken, as vm_insert_mixed; Otte tried the first two days later. In"
            + " Linux 6.19 s390 asks sparsemem's sections, so there too pfn_valid means \"there is"
            + " a struct page\".",
        List.of(
            MemoryModel.class,
            LraModel.class,
            FlatModel.class,
            SparseModel.class,
            SortedArrayModel.class),
        List.of("dev.xip.phys.MemoryModelsTest", "dev.xip.phys.WrongModelsTest"));
  }

  @Override
  public void run(Findings findings) throws IOException {
    try (NormalPageMachine machine = NormalPageMachine.boot(X8664Layout.INSTANCE, 1)) {
      PhysicalMemory memory = machine.memory();
      findings.add(
          new Sketch(
              List.of(
                  entry("RAM: memory, and a struct page", 1024),
                  entry("flash: a pfn, and no memory of the kernel's", FLASH_PFN),
                  entry("a segment: memory, and no struct page", SEGMENT_PFN)),
              List.of(),
              ""));
      List<Row> rows = new ArrayList<>();
      for (FrameStrategy strategy :
          List.of(
              FrameStrategy.LRA,
              FrameStrategy.FLAT,
              FrameStrategy.SPARSE,
              FrameStrategy.SORTED_ARRAY)) {
        MemoryModel model = strategy.newModel(memory, X8664Layout.INSTANCE).orElseThrow();
        memory.attach(model);
        rows.add(
            Row.of(
                model.name(),
                Cell.of(model.pfnValid(1024), true),
                Cell.of(model.pfnValid(FLASH_PFN), false),
                Cell.of(model.pfnValid(SEGMENT_PFN), false)));
      }
      findings.table(
          "\"Is there a struct page?\", asked of each pfn_valid",
          List.of("pfn_valid", "RAM", "flash, by pfn alone", "segment"),
          rows);
      changeAtRunTime(findings, memory);
    }
  }

  private static Finding.Entry entry(String caption, long pfn) {
    EntryLayout layout = X8664Layout.INSTANCE;
    return Findings.unmarked(caption, layout, layout.leaf(pfn, Access.READ));
  }

  private static void changeAtRunTime(Findings findings, PhysicalMemory memory) throws IOException {
    findings.part(
        "The answer changes while the system runs",
        "One number, asked about before a segment is loaded there, while it is, and after.");
    LraModel lra = new LraModel(memory.windowBytes() >>> Pages.SHIFT);
    memory.attach(lra);
    long pfn = LATE.start() >>> Pages.SHIFT;
    boolean before = lra.pfnValid(pfn);
    Region region = claim(memory);
    boolean loaded = lra.pfnValid(pfn);
    boolean stored = memory.store(MemorySegment.ofArray(new byte[1]), 0, LATE.start(), 1);
    memory.release(region);
    boolean after = lra.pfnValid(pfn);
    findings.fact(
        "is there memory at pfn 0x%x? before, loaded, after".formatted(pfn),
        "%s, %s, %s".formatted(yes(before), yes(loaded), yes(after)),
        !before && loaded && !after);
    findings.fact(
        "a store into a segment that is loaded read-only",
        stored ? "is made" : "is refused",
        !stored);
  }

  private static Region claim(PhysicalMemory memory) {
    try {
      return memory.claim("LATE", LATE, true);
    } catch (RegionBusyException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String yes(boolean answer) {
    return answer ? "yes" : "no";
  }
}
