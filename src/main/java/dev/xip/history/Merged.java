package dev.xip.history;

import dev.xip.history.Account.Mail;
import dev.xip.history.Finding.Cell;
import dev.xip.history.Finding.Row;
import dev.xip.history.Finding.Sketch;
import dev.xip.measure.StrategyTable.Answer;
import dev.xip.pagetable.EntryLayout;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.NormalFrame;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** 28 March 2008: the series as merged has two cases. */
final class Merged implements Step {
  private static final int STEPS = 2000;
  private static final long SEED = 20080328;

  @Override
  public Account account() {
    return new Account(
        "28-mar",
        "28 March 2008",
        "The series as merged: two cases, with the bit and without",
        List.of(new Mail("Nick Piggin, 0/7 to 7/7", "20080328015422.015000000@nick.local0.net")),
        "vm_normal_page is core code with exactly two cases. With the bit: special means no struct"
            + " page, anything else means count. Without: inside VM_MIXEDMAP pfn_valid decides,"
            + " inside VM_PFNMAP the pfn that runs on with the address has none. Architectures"
            + " supply primitives (pte_special, pte_mkspecial), not policy. The strategies of all"
            + " the mails that answer right agree; they differ in what they cost and where they"
            + " break.",
        "Linux 6.19 has both cases.",
        List.of(NormalFrame.SpecialBit.class, NormalFrame.PfnValid.class, SameHistory.class),
        List.of(
            "dev.xip.vm.StrategiesTest#allAgreeOnRandomEntries",
            "dev.xip.vm.SpecialBitContractTest",
            "dev.xip.vm.FlatIfMixedContractTest",
            "dev.xip.vm.RandomHistoryTest"));
  }

  @Override
  public void run(Findings findings) throws IOException {
    List<Row> rows = new ArrayList<>();
    try (Trial bit = Trial.of(FrameStrategy.SPECIAL_BIT);
        Trial without = Trial.of(FrameStrategy.FLAT_IF_MIXED)) {
      EntryLayout layout = bit.manager().layout();
      findings.add(
          new Sketch(
              List.of(
                  Findings.entry("with the bit: the segment", layout, bit.segmentEntry()),
                  Findings.unmarked("without: the segment", layout, without.segmentEntry())),
              List.of(),
              ""));
      rows.add(row("a page of the segment", bit.aboutSegment(), without.aboutSegment(), false));
      rows.add(row("a private copy beside it", bit.aboutCopy(), without.aboutCopy(), true));
      rows.add(row("ordinary memory", bit.aboutRam(), without.aboutRam(), true));
    }
    findings.table(
        "The two cases",
        List.of("entry of", "the special bit", "pfn_valid inside VM_MIXEDMAP"),
        rows);
    findings.part(
        "One history, every strategy that works",
        "A random history of %,d steps (map, read, store, fork, unmap, exit) is run on a machine of"
                .formatted(STEPS)
            + " each strategy; after every step the counts are compared.");
    String first = null;
    for (FrameStrategy strategy : FrameStrategy.working()) {
      String seen = SameHistory.run(strategy, STEPS, SEED);
      first = first == null ? seen : first;
      findings.fact(strategy.toString(), seen, seen.equals(first));
    }
    StrategyNames.add(findings, FrameStrategy.answeringRight());
    findings.figures(
        "One question about one entry, every strategy whose answers are right",
        OneQuestion.by(FrameStrategy.answeringRight(), 64));
  }

  private static Row row(String of, Answer bit, Answer other, boolean counted) {
    Answer right = counted ? Answer.COUNTED : Answer.NO_FRAME;
    return Row.of(
        of, new Cell(bit.toString(), bit != right), new Cell(other.toString(), other != right));
  }
}
