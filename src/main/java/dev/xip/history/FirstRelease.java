package dev.xip.history;

import dev.xip.base.Access;
import dev.xip.history.Account.Mail;
import dev.xip.history.Finding.Sketch;
import dev.xip.measure.StrategyTable.Answer;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.S390x2008Layout;
import dev.xip.vm.Era;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.Rule;
import java.io.IOException;
import java.util.List;

/** July 2008: 2.6.26 has the bit on s390, and a bug of its last days. */
final class FirstRelease implements Step {
  /** Frame number of the 2 GiB mark, as in the tables of rules.md. */
  private static final long PFN = 0x80000;

  @Override
  public Account account() {
    return new Account(
        "2.6.26",
        "13 July 2008",
        "Linux 2.6.26: the bit, on s390 first",
        List.of(
            new Mail("mainline", "include/asm-s390/pgtable.h, mm/memory.c of 2.6.26"),
            new Mail("mainline", "commit 138c9021ca6")),
        "The release has the special bit on s390, 0x004 of an entry; x86 and powerpc follow in"
            + " 2.6.27. A program page of a segment, readable and executable, is the entry 0x…206."
            + " Until days before the release mprotect erased the bit, for it was not among the"
            + " bits that pte_modify keeps: the next vm_normal_page took the page for one with a"
            + " struct page.",
        "s390 has the bit at 0x040 now. That a change of rights must keep it is a test on every"
            + " layout.",
        List.of(S390x2008Layout.class, Era.class, Rule.class),
        List.of(
            "dev.xip.pagetable.S390x2008LayoutTest",
            "dev.xip.pagetable.EntryVectorsTest",
            "dev.xip.vm.EveryLayoutTest"));
  }

  @Override
  public void run(Findings findings) throws IOException {
    EntryLayout layout = S390x2008Layout.INSTANCE;
    long text = layout.withSpecial(layout.leaf(PFN, new Access(true, false, true)));
    long data = layout.withSpecial(layout.leaf(PFN, Access.READ));
    findings.add(
        new Sketch(
            List.of(
                Findings.entry("text of a segment, r-x, at 2 GiB", layout, text),
                Findings.entry("the same, r--", layout, data)),
            List.of(),
            ""));
    findings.expect("the entry of text", "0x80000206", "0x%x".formatted(text));
    findings.expect("the entry of data", "0x80000204", "0x%x".formatted(data));
    findings.part("mprotect and the bit", "");
    long changed = layout.modify(text, Access.READ);
    findings.expect("after mprotect to r--, as released", "0x80000204", "0x%x".formatted(changed));
    long erased = layout.leaf(PFN, Access.READ);
    try (Trial trial = Trial.of(layout, FrameStrategy.SPECIAL_BIT)) {
      findings.fact("after mprotect, before the fix", "0x%x".formatted(erased), true);
      findings.expect("vm_normal_page then", Answer.BAD_ENTRY, trial.answer(trial.mixed(), erased));
      findings.broken("its report", trial.manager().badEntries().last());
    }
  }
}
