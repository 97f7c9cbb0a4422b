package dev.xip.history;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.history.Account.Mail;
import dev.xip.history.Finding.Sketch;
import dev.xip.measure.NormalPageMachine;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.S390x2008Layout;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.Era;
import dev.xip.vm.MapRequest;
import dev.xip.vm.MemoryManager;
import dev.xip.vm.NormalFrame;
import dev.xip.vm.Rule;
import dev.xip.vm.Rules;
import java.io.IOException;
import java.util.List;

/** July 2008: 2.6.26 has the bit on s390, and a bug of its last days. */
final class FirstRelease implements Step {
  /** Frame number of the 2 GiB mark, as in the tables of rules.md. */
  private static final long PFN = 0x80000;

  private static final Access TEXT = new Access(true, false, true);

  @Override
  public Account account() {
    return new Account(
        "2.6.26",
        "13 July 2008",
        "Linux 2.6.26: the bit, on s390 first",
        List.of(
            new Mail("mainline", "include/asm-s390/pgtable.h, mm/memory.c of 2.6.26"),
            new Mail("mainline", "commit 138c9021ca6")),
        "The release has the special bit on s390, 0x004 of an entry; x86 and 64-bit powerpc follow"
            + " in 2.6.27. A program page of a segment, readable and executable, is the entry"
            + " 0x…206. Until days before the release mprotect erased the bit, for it was not among"
            + " the bits that pte_modify keeps: the next vm_normal_page took the page for one with"
            + " a struct page.",
        "s390 has the bit at 0x040 now. That a change of rights must keep it is a test on every"
            + " layout.",
        List.of(S390x2008Layout.class, Era.class, Rule.class),
        List.of(
            "dev.xip.pagetable.S390x2008LayoutTest",
            "dev.xip.pagetable.EntryVectorsTest",
            "dev.xip.vm.HistoricalBugsTest#mprotectErasesTheBitAndASegmentPageCountsAsAFrameThatDoesNotExist",
            "dev.xip.vm.EraTablesTest"));
  }

  @Override
  public void run(Findings findings) throws IOException {
    EntryLayout layout = S390x2008Layout.INSTANCE;
    long text = layout.withSpecial(layout.leaf(PFN, TEXT));
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
    mprotect(findings, "as released", Era.LINUX_2_6_26.rules());
    mprotect(
        findings,
        "before the repair",
        Era.LINUX_2_6_26.rules().without(Rule.MPROTECT_KEEPS_SPECIAL));
  }

  /** Maps a page of a segment as text, changes its rights, and exits. */
  private static void mprotect(Findings findings, String when, Rules rules) throws IOException {
    findings.part(
        "mprotect, " + when,
        "A process on a 2.6.26 machine maps a page of the segment r-x, makes it r-- and exits.");
    boolean kept = rules.has(Rule.MPROTECT_KEEPS_SPECIAL);
    try (NormalPageMachine machine = NormalPageMachine.boot(S390x2008Layout.INSTANCE, 1)) {
      MemoryManager manager =
          new MemoryManager(
              machine.memory(), S390x2008Layout.INSTANCE, NormalFrame.specialBit(), rules);
      AddressSpace space = manager.newAddressSpace("text");
      AddrRange range = space.map(MapRequest.privately(machine.spread(1), TEXT));
      Trial.touch(space, range, Access.READ);
      mark(findings, "the entry when it is mapped", space, range, true);
      space.protect(range, Access.READ);
      mark(findings, "the entry after mprotect", space, range, kept);
      space.close();
      if (kept) {
        findings.expect("bad entries met at exit", 0L, manager.badEntries().count());
      } else {
        findings.broken("exit", manager.badEntries().last());
      }
    }
  }

  private static void mark(
      Findings findings, String what, AddressSpace space, AddrRange range, boolean expected) {
    Finding.Entry entry = Findings.entry("", space, range.start());
    findings.fact(
        what, "0x%x %s".formatted(entry.value(), entry.bits()), entry.isMarked() == expected);
  }
}
