package dev.xip.history;

import dev.xip.history.Account.Mail;
import dev.xip.history.Finding.Cell;
import dev.xip.history.Finding.Row;
import dev.xip.history.Finding.Sketch;
import dev.xip.measure.NormalPageMachine;
import dev.xip.measure.StrategyTable.Answer;
import dev.xip.pagetable.S390x2008Layout;
import dev.xip.phys.CountingModel;
import dev.xip.phys.FlatModel;
import dev.xip.phys.LraModel;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.NormalFrame;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** 9 January 2008: callbacks of the architecture, asked about the entry. */
final class ArchitectureCallbacks implements Step {
  private static final int PAGES = 1000;

  @Override
  public Account account() {
    return new Account(
        "9-jan",
        "9 January 2008",
        "Callbacks of the architecture: pte_set_norefcount, mixedmap_refcount_pte",
        List.of(
            new Mail(
                "Carsten Otte, patch 1/4", "1199891645.28689.22.camel@cotte.boeblingen.de.ibm.com"),
            new Mail(
                "Carsten Otte, patch 2/4", "1199891645.28689.23.camel@cotte.boeblingen.de.ibm.com"),
            new Mail("Nick Piggin, answer", "20080110002021.GC19997@wotan.suse.de")),
        "Otte puts both ways behind two functions of the architecture. pte_set_norefcount is called"
            + " when an entry is made in a VM_MIXEDMAP mapping, mixedmap_refcount_pte when"
            + " vm_normal_page meets it there. s390 sets and tests a software bit of the entry"
            + " (_PAGE_NOREFCNT, 0x004); ARM, with no bit, does nothing and asks pfn_valid. Outside"
            + " VM_MIXEDMAP everything stays as it was: pfn_valid is asked about every ordinary"
            + " page. Piggin would rather have pte_special, which makes the callbacks needless, and"
            + " pfn_valid where there is no such bit; Otte tends to agree and tries it next. If a"
            + " bit of the entry may decide, says the series of March, it can replace the rules"
            + " about mappings altogether.",
        "Place and value of s390's bit became those of the special bit of 2.6.26. The special bit"
            + " is set for every page-less entry, VM_PFNMAP too, and is asked about first.",
        List.of(NormalFrame.RefcountPteBit.class, NormalFrame.RefcountPtePfnValid.class),
        List.of(
            "dev.xip.vm.RefcountPteBitContractTest", "dev.xip.vm.RefcountPtePfnValidContractTest"));
  }

  @Override
  public void run(Findings findings) throws IOException {
    List<Row> rows = new ArrayList<>();
    try (Trial s390 = Trial.of(S390x2008Layout.INSTANCE, FrameStrategy.REFCOUNT_PTE_BIT);
        Trial arm = Trial.of(FrameStrategy.REFCOUNT_PTE_PFN_VALID)) {
      findings.add(
          new Sketch(
              List.of(
                  Findings.entry(
                      "s390: a page of the segment", s390.manager().layout(), s390.segmentEntry()),
                  Findings.entry("s390: a private copy", s390.manager().layout(), s390.ramEntry())),
              List.of(),
              ""));
      findings.expect(
          "an entry of the segment is marked in VM_MIXEDMAP (s390)",
          true,
          s390.manager().marksEntries(s390.mixed()));
      findings.expect(
          "an entry is marked elsewhere (s390)",
          false,
          s390.manager().marksEntries(s390.ordinary()));
      rows.add(answers("a page of the segment", s390.aboutSegment(), arm.aboutSegment(), false));
      rows.add(answers("a private copy beside it", s390.aboutCopy(), arm.aboutCopy(), true));
      rows.add(answers("ordinary memory", s390.aboutRam(), arm.aboutRam(), true));
    }
    findings.table(
        "The two kinds of callback", List.of("entry of", "s390: a bit", "ARM: pfn_valid"), rows);
    findings.part(
        "What it left as it was",
        "Outside VM_MIXEDMAP pfn_valid is asked, as before. The questions are counted while a"
            + " process with %,d pages of its own forks and its child exits.".formatted(PAGES));
    CountingModel counting = new CountingModel(new FlatModel());
    try (Trial trial = Trial.of(machine -> callbacks(machine, counting))) {
      AddressSpace plain = trial.plain(PAGES);
      counting.takeQuestions();
      plain.fork("child").close();
      long asked = counting.takeQuestions();
      plain.close();
      findings.fact("questions to pfn_valid", "%,d".formatted(asked), asked >= 2 * PAGES);
    }
    findings.part(
        "Had s390 used the other kind",
        "mixedmap_refcount_pte by pfn_valid, with s390's own pfn_valid behind it.");
    try (Trial trial =
        Trial.of(
            machine -> {
              LraModel lra = new LraModel(machine.memory().windowBytes() >>> 12);
              machine.memory().attach(lra);
              return NormalFrame.refcountPtePfnValid(lra);
            })) {
      findings.expect("a page of the segment", Answer.BAD_ENTRY, trial.aboutSegment());
      findings.broken("vm_normal_page of the segment's entry", trial.manager().badEntries().last());
    }
  }

  private static Row answers(String of, Answer bit, Answer pfnValid, boolean counted) {
    Answer right = counted ? Answer.COUNTED : Answer.NO_FRAME;
    return Row.of(
        of,
        new Cell(bit.toString(), bit != right),
        new Cell(pfnValid.toString(), pfnValid != right));
  }

  private static NormalFrame callbacks(NormalPageMachine machine, CountingModel counting) {
    machine.memory().attach(counting);
    return NormalFrame.refcountPteBit(counting);
  }
}
