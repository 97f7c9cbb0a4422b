package dev.xip.history;

import dev.xip.history.Account.Mail;
import dev.xip.history.Finding.Chunk;
import dev.xip.history.Finding.Sketch;
import dev.xip.measure.NormalPageBench;
import dev.xip.measure.StrategyTable.Answer;
import dev.xip.phys.RefcountListModel;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.FrameStrategy;
import java.io.IOException;
import java.util.List;

/** 8 January 2008: the walk of the list, inside VM_MIXEDMAP. */
final class ListWalk implements Step {
  @Override
  public Account account() {
    return new Account(
        "8-jan",
        "8 January 2008",
        "VM_MIXEDMAP, and a walk of the list of memory: mixedmap_refcount_pfn",
        List.of(
            new Mail(
                "Carsten Otte, patch 0/4", "1199784954.25114.27.camel@cotte.boeblingen.de.ibm.com"),
            new Mail(
                "Carsten Otte, patch 4/4", "1199784963.25114.31.camel@cotte.boeblingen.de.ibm.com"),
            new Mail("Nick Piggin, Carsten Otte", "20080108115536.GB460@wotan.suse.de")),
        "Otte posts VM_MIXEDMAP, made from a patch of Jared Hulbert's: inside such a mapping"
            + " vm_normal_page asks mixedmap_refcount_pfn,"
            + " which on s390 walks mem_segs under vmem_mutex. He calls it a proof of concept and"
            + " prefers a bit of the entry. Why does s390's pfn_valid not walk the list? Because"
            + " the same segment may also be added as ordinary memory with struct pages: to the"
            + " instruction both are memory. He has booted a distribution with /usr on an XIP file"
            + " system.",
        "VM_MIXEDMAP stayed; the walk did not. A mutex cannot be taken under a page-table lock, and"
            + " its cost grows with the number of segments.",
        List.of(RefcountListModel.class, FrameStrategy.class, NormalPageBench.class),
        List.of(
            "dev.xip.vm.RefcountPfnContractTest",
            "dev.xip.vm.WrongStrategiesTest#theWalkForMixedMappingsSleepsOnlyWhereASegmentIsMapped"));
  }

  @Override
  public void run(Findings findings) throws IOException {
    try (Trial trial = Trial.of(FrameStrategy.REFCOUNT_PFN)) {
      findings.add(
          new Sketch(
              List.of(
                  Findings.unmarked(
                      "a page of the segment", trial.manager().layout(), trial.segmentEntry())),
              List.of(
                  new Chunk("seg. 512", false, ""),
                  new Chunk("seg. 511", false, ""),
                  new Chunk("…", false, ""),
                  new Chunk("seg. 1", false, ""),
                  new Chunk("RAM", true, "")),
              "vmem_mutex: taken for each question, under the page-table lock"));
      findings.expect("a page of the segment", Answer.NO_FRAME, trial.aboutSegment());
      findings.expect("a private copy beside it", Answer.COUNTED, trial.aboutCopy());
      findings.expect(
          "fork and exit of a process that maps no segment",
          "",
          Trial.textOf(
              () -> {
                AddressSpace plain = trial.plain(4);
                plain.fork("child").close();
                plain.close();
              }));
      AddressSpace reader = trial.reader(4);
      findings.broken("exit of a process that maps a segment", Trial.textOf(reader::close));
    }
    findings.figures(
        "One question about one entry, by the number of loaded segments",
        OneQuestion.by(
            List.of(FrameStrategy.REFCOUNT_PFN, FrameStrategy.SPECIAL_BIT), 1, 8, 64, 512));
  }
}
