package dev.xip.history;

import dev.xip.history.Account.Mail;
import dev.xip.history.Finding.Chunk;
import dev.xip.history.Finding.Sketch;
import dev.xip.measure.StrategyTable.Answer;
import dev.xip.phys.LraModel;
import dev.xip.phys.MemoryChunk;
import dev.xip.phys.PageFrames;
import dev.xip.phys.RefcountListModel;
import dev.xip.vm.FrameStrategy;
import java.io.IOException;
import java.util.List;

/** 21 December 2007: the problem, a flag on the list of memory, and the first word of a bit. */
final class SegmentsAreValid implements Step {
  @Override
  public Account account() {
    return new Account(
        "21-dec",
        "21 December 2007",
        "The problem: pfn_valid says yes to a page without a struct page",
        List.of(
            new Mail("Carsten Otte, Nick Piggin", "20071221104701.GE28484@wotan.suse.de"),
            new Mail(
                "Martin Schwidefsky",
                "OFEC52C590.33A28896-ONC12573B8.0069F07E-C12573B8.006B1A41@de.ibm.com")),
        "On s390 pfn_valid is a machine instruction (LRA): is there memory behind this address of"
            + " the kernel's own mapping? A loaded segment is memory, so the answer is yes, and"
            + " vm_normal_page would count its pages in struct pages that do not exist. Two ways"
            + " out are named on the same day. Otte: the kernel's list of memory (mem_segs in"
            + " arch/s390/mm/vmem.c) could have a flag in each element, \"refcount this one\";"
            + " Piggin would ask it through a function of the architecture,"
            + " mixedmap_refcount_pfn(). Schwidefsky: a bit in the entry, for when a page is mapped"
            + " it is known what it is, and vm_normal_page forgets it.",
        "The two ideas became the two answers that were tried: look the page up, or have its entry"
            + " say what it is. In Linux 6.19 dcssblk gives its segments struct pages.",
        List.of(LraModel.class, RefcountListModel.class, MemoryChunk.class, FrameStrategy.class),
        List.of(
            "dev.xip.vm.WrongStrategiesTest#theFirstFaultOnASegmentIsABug",
            "dev.xip.vm.WrongStrategiesTest#anEntryOfASegmentIsTakenForAPageFrameThatDoesNotExist",
            "dev.xip.vm.WrongStrategiesTest#lraIsRightAboutOrdinaryMemory",
            "dev.xip.phys.WrongModelsTest"));
  }

  @Override
  public void run(Findings findings) throws IOException {
    try (Trial trial = Trial.of(FrameStrategy.LRA)) {
      long segment = trial.segmentPfn();
      long last = trial.manager().highestPfn();
      findings.add(
          new Sketch(
              List.of(
                  Findings.unmarked(
                      "a page of the segment", trial.manager().layout(), trial.segmentEntry()),
                  Findings.unmarked("a page of RAM", trial.manager().layout(), trial.ramEntry())),
              List.of(
                  new Chunk("segment", false, "flag: do not refcount"),
                  new Chunk("RAM", true, "flag: refcount")),
              "vmem_mutex, a mutex: its holder may sleep"));
      findings.part(
          "s390's own pfn_valid (LRA)", "Asked about a loaded segment, on a machine made for it.");
      findings.expect(
          "pfn_valid of the segment's page, pfn 0x%x".formatted(segment),
          true,
          trial.manager().pfnValid(segment));
      findings.fact(
          "the last page that has a struct page",
          "pfn 0x%x: the segment lies above it".formatted(last),
          last < segment);
      findings.expect("ordinary memory", Answer.COUNTED, trial.aboutRam());
      findings.expect("the segment's entry", Answer.BAD_ENTRY, trial.aboutSegment());
      findings.broken("vm_normal_page of the segment's entry", trial.manager().badEntries().last());
      findings.broken(
          "the first page fault of a process that maps the segment",
          Trial.textOf(() -> trial.reader(1)));
    }
    try (Trial trial = Trial.of(FrameStrategy.REFCOUNT_PFN)) {
      findings.part(
          "The list with a flag",
          "The same questions to a list of all memory whose elements say whether to count.");
      findings.expect("a page of the segment", Answer.NO_FRAME, trial.aboutSegment());
      findings.expect("a page of RAM", Answer.COUNTED, trial.aboutRam());
      findings.expect(
          "a private copy, in RAM, of a page of the segment", Answer.COUNTED, trial.aboutCopy());
    }
    findings.part("What a struct page for each page would cost", "");
    long bytes = (1L << 30 - 12) * PageFrames.RECORD_BYTES;
    findings.fact(
        "struct pages of %d bytes for a segment of 1 GiB".formatted(PageFrames.RECORD_BYTES),
        "%,d bytes in each guest; 64 guests pay as much as the segment itself".formatted(bytes),
        bytes * 64 == 1L << 30);
  }
}
