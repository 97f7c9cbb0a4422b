package dev.xip.history;

import dev.xip.base.Access;
import dev.xip.history.Account.Mail;
import dev.xip.history.Finding.Sketch;
import dev.xip.measure.StrategyTable.Answer;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.X8664Layout;
import dev.xip.pagetable.X8664Of2008Layout;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MemoryManager;
import dev.xip.vm.NormalFrame;
import java.io.IOException;
import java.util.List;

/** 7 January 2008: the special bit as a patch. */
final class BitProposed implements Step {
  @Override
  public Account account() {
    return new Account(
        "7-jan",
        "7 January 2008",
        "A bit in the entry: pte_special",
        List.of(new Mail("Nick Piggin", "20080107044355.GA11222@wotan.suse.de")),
        "Piggin posts the bit as a patch for ppc64, um and x86 (bit 9 there). The code that makes"
            + " an entry for a page without a struct page sets it (pte_mkspecial), and"
            + " vm_normal_page becomes one test of one bit (pte_special): no look-up, no lock, no"
            + " call. It also serves a get_user_pages without locks, which sees an entry and not"
            + " its mapping. But not every architecture has a bit to spare, so he wants a way that"
            + " works without the bit first, and the bit as an optimisation.",
        "This is the answer that was merged, for s390 first. What follows are the attempts at the"
            + " way without the bit.",
        List.of(NormalFrame.class, MemoryManager.class, EntryLayout.class, X8664Layout.class),
        List.of(
            "dev.xip.vm.SpecialBitContractTest",
            "dev.xip.pagetable.EntryVectorsTest",
            "dev.xip.vm.StrategiesTest#theSpecialBitNeedsALayoutThatHasOne"));
  }

  @Override
  public void run(Findings findings) throws IOException {
    try (Trial trial = Trial.of(FrameStrategy.SPECIAL_BIT)) {
      EntryLayout layout = trial.manager().layout();
      findings.add(
          new Sketch(
              List.of(
                  Findings.entry("a page of the segment", layout, trial.segmentEntry()),
                  Findings.entry("a page of RAM", layout, trial.ramEntry())),
              List.of(),
              ""));
      findings.expect("an entry of the segment", Answer.NO_FRAME, trial.aboutSegment());
      findings.expect("an entry of RAM", Answer.COUNTED, trial.aboutRam());
      findings.expect(
          "a private copy among pages of the segment", Answer.COUNTED, trial.aboutCopy());
      findings.expect(
          "the same under a spin lock, as in fork and exit",
          "",
          trial.underSpinLock(trial.mixed(), trial.segmentEntry()));
    }
    findings.figures(
        "One question about one entry, beside the same loop without it",
        OneQuestion.by(List.of(FrameStrategy.SPECIAL_BIT), 1, 512));
    EntryLayout without = X8664Of2008Layout.INSTANCE;
    findings.part(
        "An architecture without a bit",
        "x86-64 had none before 2.6.27: its entry of the same page says nothing.");
    long plain = without.leaf(0x80000, Access.READ);
    findings.expect("pte_mkspecial changes the entry", false, without.withSpecial(plain) != plain);
    findings.broken(
        "a machine that boots with the bit on " + without.name(),
        Trial.textOf(() -> Trial.of(without, FrameStrategy.SPECIAL_BIT).close()));
  }
}
