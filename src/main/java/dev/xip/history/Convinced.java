package dev.xip.history;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.base.Pfn;
import dev.xip.history.Account.Mail;
import dev.xip.history.Finding.Cell;
import dev.xip.history.Finding.Row;
import dev.xip.history.Finding.Sketch;
import dev.xip.measure.NormalPageMachine;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.FrameUse;
import dev.xip.phys.MemoryModel;
import dev.xip.phys.PhysicalMemory;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MapRequest;
import dev.xip.vm.MemoryManager;
import java.io.IOException;
import java.util.List;

/** 16 January 2008: the answers to the objections, and an insertion of its own. */
final class Convinced implements Step {
  @Override
  public Account account() {
    return new Account(
        "16-jan",
        "16 January 2008",
        "\"So I'm convinced\": the bit, and vm_insert_mixed",
        List.of(
            new Mail("Nick Piggin", "20080116040424.GA29681@wotan.suse.de"),
            new Mail("Nick Piggin", "20080116042205.GB29681@wotan.suse.de"),
            new Mail("Nick Piggin, rollup", "20080116142915.GA19162@wotan.suse.de")),
        "Piggin answers b, c and d, finds a run-time structure of memory regions like s390's"
            + " reasonable, and agrees: VM_MIXEDMAP is no slow path on which a global lock and a"
            + " walk would be fine, for a distribution that runs from there does it hundreds of"
            + " times in every exec and exit. vm_insert_pfn keeps its strict checks; what XIP needs"
            + " is an insertion of its own, vm_insert_mixed: it sets the bit where there is one,"
            + " and where there is none it asks pfn_valid whether to count. The rollup of the same"
            + " day also moves the check of ordinary entries under CONFIG_DEBUG_VM.",
        "Linux 6.19 has it as vmf_insert_mixed.",
        List.of(AddressSpace.class, MemoryManager.class, FrameStrategy.class),
        List.of(
            "dev.xip.vm.InsertionTest",
            "dev.xip.vm.BadEntriesTest",
            "dev.xip.vm.DecisionTableTest"));
  }

  @Override
  public void run(Findings findings) throws IOException {
    findings.table(
        "The answers",
        List.of("objection", "Piggin's answer"),
        List.of(
            answer("a  mutex in atomic context", "none: Otte himself has named a spin lock"),
            answer(
                "b  slow on the fast path", "under CONFIG_DEBUG_VM; sparsemem's cost nearly 5 %"),
            answer(
                "c  calls up from the bottom",
                "sparsemem asks its memory model too, though by an array"),
            answer(
                "d  asked before the list is filled",
                "how does sparsemem get away with it? fill the list before?"),
            answer("pfn_valid is unclear", "mostly debugging checks; in page_alloc: a struct page"),
            answer("as a whole", "possible, but the bit should be allowed: convinced")));
    sparsemem(findings);
    withoutBit(findings);
    withBit(findings);
  }

  /** The question in the answer to d. */
  private static void sparsemem(Findings findings) throws IOException {
    try (NormalPageMachine machine = NormalPageMachine.boot(X8664Layout.INSTANCE, 1)) {
      MemoryModel empty =
          FrameStrategy.SPARSE.newModel(machine.memory(), X8664Layout.INSTANCE).orElseThrow();
      long segment = machine.memory().regions().get(1).range().start() >>> Pages.SHIFT;
      findings.fact(
          "how sparsemem gets away with it: its table, still all zeros, about a segment",
          empty.pfnValid(segment) ? "yes" : "no: zeros mean \"no struct page\"",
          !empty.pfnValid(segment));
    }
  }

  private static Row answer(String objection, String answer) {
    return Row.of(objection, Cell.plain(answer));
  }

  private static AddrRange mixedMapping(Trial trial, AddressSpace space) throws IOException {
    return space.map(MapRequest.privately(trial.machine().spread(4), Access.READ));
  }

  private static void withoutBit(Findings findings) throws IOException {
    try (Trial trial = Trial.of(FrameStrategy.FLAT_IF_MIXED)) {
      findings.part(
          "Two insertions, without the bit",
          "Into a VM_MIXEDMAP mapping, on a machine that asks pfn_valid.");
      AddressSpace space = trial.manager().newAddressSpace("inserter");
      AddrRange range = mixedMapping(trial, space);
      long frame = trial.machine().memory().allocator().allocate(FrameUse.PAGE_CACHE);
      findings.broken(
          "vm_insert_pfn of a page of RAM",
          Trial.textOf(() -> space.insertPfn(range.start(), new Pfn(frame))));
      findings.expect(
          "vm_insert_mixed of the same page",
          Errno.OK,
          space.insertMixed(range.start(), new Pfn(frame)));
      findings.expect("users counted in its struct page", 2, references(trial, frame));
      findings.expect(
          "vm_insert_mixed of a page of the segment",
          Errno.OK,
          space.insertMixed(range.start() + Pages.SIZE, new Pfn(trial.segmentPfn())));
      findings.expect("struct pages of files that the process maps", 1L, space.fileFrames());
      space.close();
      findings.expect("users left after exit", 1, references(trial, frame));
    }
  }

  private static void withBit(Findings findings) throws IOException {
    try (Trial trial = Trial.of(FrameStrategy.SPECIAL_BIT)) {
      findings.part(
          "The same with the bit", "Every entry of vm_insert_mixed is special; none is counted.");
      AddressSpace space = trial.manager().newAddressSpace("inserter");
      AddrRange range = mixedMapping(trial, space);
      long frame = trial.machine().memory().allocator().allocate(FrameUse.PAGE_CACHE);
      findings.expect(
          "vm_insert_mixed of a page of RAM",
          Errno.OK,
          space.insertMixed(range.start(), new Pfn(frame)));
      findings.add(
          new Sketch(
              List.of(Findings.entry("vm_insert_mixed made", space, range.start())),
              List.of(),
              ""));
      findings.expect("users counted in its struct page", 1, references(trial, frame));
      space.close();
      findings.part(
          "What may not be",
          "Two checks of the rollup (VM_BUG_ON there, a report since 2.6.29): a special entry in a"
              + " mapping that is neither VM_PFNMAP nor VM_MIXEDMAP, and an entry without the bit"
              + " whose pfn has no struct page.");
      EntryLayout layout = trial.manager().layout();
      trial.answer(trial.ordinary(), trial.segmentEntry());
      findings.broken("a special entry in ordinary memory", trial.manager().badEntries().last());
      trial.answer(trial.mixed(), layout.leaf(trial.segmentPfn(), Access.READ));
      findings.broken(
          "the segment's page in an entry without the bit", trial.manager().badEntries().last());
    }
  }

  private static int references(Trial trial, long frame) {
    PhysicalMemory memory = trial.machine().memory();
    return memory.frames().references(frame);
  }
}
