package dev.xip.history;

import dev.xip.base.Pages;
import dev.xip.history.Account.Mail;
import dev.xip.history.Finding.Cell;
import dev.xip.history.Finding.Chunk;
import dev.xip.history.Finding.Row;
import dev.xip.history.Finding.Sketch;
import dev.xip.measure.NormalPageMachine;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.CorrectedModel;
import dev.xip.phys.IntendedModel;
import dev.xip.phys.ListLock;
import dev.xip.phys.MemoryModel;
import dev.xip.phys.PostedModel;
import dev.xip.vm.FrameStrategy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** 15 January 2008: pfn_valid walks the list, and four objections by its own author. */
final class PostedPatch implements Step {
  @Override
  public Account account() {
    return new Account(
        "15-jan",
        "15 January 2008",
        "pfn_valid walks the list, and four objections by its own author",
        List.of(new Mail("Carsten Otte", "1200402350.27120.28.camel@cotte.boeblingen.de.ibm.com")),
        "Otte writes the patch that he advises against: s390's pfn_valid becomes \"there is memory,"
            + " and it is no shared segment\" (__pfn_in_kmap && !pfn_in_shared_memory), the second"
            + " half a walk of mem_segs under vmem_mutex. He posts it with four objections: (a) it"
            + " takes a mutex in atomic context, (b) it is slow on a fast path, also of ordinary"
            + " pages, (c) a small primitive calls up into high-level code, (d) it is asked before"
            + " its list is filled. s390, he writes, would rather keep its struct pages than this;"
            + " so XIP depends on pte_special.",
        "No release has the patch. Its objections decided the thread: the answer to the mail begins"
            + " the next step.",
        List.of(
            PostedModel.class,
            CorrectedModel.class,
            IntendedModel.class,
            ObjectionA.class,
            ObjectionB.class,
            ObjectionC.class,
            ObjectionD.class),
        List.of(
            "dev.xip.process.AtomicExecTest#theMutexMakesExecSleepInAtomicContext",
            "dev.xip.vm.WrongStrategiesTest#withTheTestPutRightEveryFrameOfAProcessIsLost",
            "dev.xip.vm.WrongStrategiesTest#theMutexSleepsAtTheExitOfAProcessThatMapsNoSegment",
            "dev.xip.history.UpwardCallTest#theLayerRulesRefuseTheImport",
            "dev.xip.vm.StrategiesTest#aListThatIsNotFilledYetTakesASegmentForRam"));
  }

  @Override
  public void run(Findings findings) throws IOException {
    theTest(findings);
    ObjectionA.show(findings);
    ObjectionB.show(findings);
    ObjectionC.show(findings);
    ObjectionD.show(findings);
  }

  /** The patch to the letter, with its test put right, and as it was meant. */
  private static void theTest(Findings findings) throws IOException {
    try (NormalPageMachine machine = NormalPageMachine.boot(X8664Layout.INSTANCE, 2)) {
      long maxPfn = machine.memory().windowBytes() >>> Pages.SHIFT;
      findings.add(
          new Sketch(
              List.of(
                  Findings.unmarked(
                      "a page of the segment",
                      X8664Layout.INSTANCE,
                      machine.entries(machine.manager(FrameStrategy.FLAT), 1, 1)[0])),
              List.of(
                  new Chunk("segment", false, ""),
                  new Chunk("segment", false, ""),
                  new Chunk("RAM", true, "")),
              "vmem_mutex: taken for each question about each entry of every process"));
      List<Row> rows = new ArrayList<>();
      for (MemoryModel model :
          List.of(
              new PostedModel(maxPfn, ListLock.SPIN_LOCK),
              new CorrectedModel(maxPfn, ListLock.SPIN_LOCK),
              new IntendedModel(maxPfn, ListLock.SPIN_LOCK))) {
        machine.memory().attach(model);
        long segment = machine.memory().regions().get(1).range().start() >>> Pages.SHIFT;
        rows.add(
            Row.of(
                switch (model) {
                  case PostedModel _ -> "as posted";
                  case CorrectedModel _ -> "with its test put right";
                  default -> "as it was meant";
                },
                Cell.of(model.pfnValid(1024), true),
                Cell.of(model.pfnValid(segment), false)));
      }
      findings.part(
          "The test of the walk",
          "To the letter it can never be true: it wants a chunk that begins at or after the page"
              + " and ends before it. So no page is shared, and the clash of 21 December is back."
              + " With the comparison put right all RAM is \"shared\", for RAM is on mem_segs too."
              + " What was meant needs a mark that tells segments from RAM.");
      findings.table(
          "pfn_valid, \"is there a struct page?\"", List.of("the patch", "RAM", "segment"), rows);
    }
  }
}
