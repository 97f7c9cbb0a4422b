package dev.xip.cli;

import static dev.xip.demo.Amounts.plural;
import static dev.xip.demo.Amounts.size;

import dev.xip.demo.DemoReport;
import dev.xip.demo.ExecAct;
import dev.xip.demo.SecondAct;
import dev.xip.demo.ThirdAct;
import dev.xip.image.Extent;
import dev.xip.linux.RunAccount;
import dev.xip.measure.StrategyTable;
import java.io.IOException;
import java.util.List;

/** Prints the story behind the demo's answer: each step with what was counted and timed in it. */
final class DemoStory {
  private static final int EXTENTS_SHOWN = 4;
  private static final int BAR = 72;

  private final DemoReport report;
  private final DemoReport.Counts counts;
  private final Output out;

  private DemoStory(DemoReport report, Output out) {
    this.report = report;
    this.counts = report.counts();
    this.out = out;
  }

  static void print(DemoReport report, Output out) throws IOException {
    DemoStory story = new DemoStory(report, out);
    story.image();
    story.files();
    story.entries();
    story.counts();
    story.times();
    story.secondAct();
    story.exec();
    story.thirdAct();
    story.strategies();
  }

  private void line(String format, Object... arguments) throws IOException {
    out.line(format.formatted(arguments).stripTrailing());
  }

  private void heading(String text) throws IOException {
    out.line("");
    out.line(text);
  }

  private void image() throws IOException {
    heading("The image: one file that holds a file system");
    line(
        "  %s, %,d blocks of %,d bytes, %s",
        report.info().format(),
        report.info().blocks(),
        report.info().blockSize(),
        size(report.imageBytes()));
    line(
        "  It is loaded as a segment: its file is mapped, not copied, at a fixed physical address");
    line("  of a machine that xip models in user space. Segment %s is at", report.segmentName());
    line("  %s.", report.physical());
    line("  %s", window());
    line(
        "  The physical memory of that machine, %s: R = RAM, %s; S = the segment.",
        size(report.windowBytes()), size(report.ramBytes()));
    line(
        "  RAM is page frames: 4 KiB each, with a record, its struct page, that counts its users.");
    line("  The segment has no struct page.");
  }

  /** {@return the window to scale, with at least one column for each part} */
  private String window() {
    double scale = (double) BAR / report.windowBytes();
    StringBuilder bar = new StringBuilder(".".repeat(BAR));
    paint(bar, 'R', 0, report.ramBytes() * scale);
    paint(bar, 'S', report.physical().start() * scale, report.physical().end() * scale);
    return "[" + bar + "]";
  }

  private static void paint(StringBuilder bar, char mark, double from, double to) {
    int first = Math.min(BAR - 1, (int) from);
    int last = Math.min(BAR, Math.max(first + 1, (int) Math.ceil(to)));
    for (int i = first; i < last; i++) {
      bar.setCharAt(i, mark);
    }
  }

  private void files() throws IOException {
    heading("Act one: every file is mapped, each page touched, each byte read and hashed");
    line(
        "  A file is one or more extents, runs of bytes of the image; nothing is copied out of"
            + " them.");
    for (DemoReport.SampleFile file : report.sampleFiles()) {
      List<Extent> extents = file.extents();
      line(
          "  %s  %s, %s, mapped at %s",
          file.path(), size(file.size()), plural(extents.size(), "extent"), file.mapped());
      for (Extent extent : extents.subList(0, Math.min(EXTENTS_SHOWN, extents.size()))) {
        line(
            "      file 0x%08x  is  image 0x%08x  for 0x%x bytes",
            extent.fileOffset(), extent.imageOffset(), extent.length());
      }
      if (extents.size() > EXTENTS_SHOWN) {
        line("      and %,d more", extents.size() - EXTENTS_SHOWN);
      }
    }
  }

  private void entries() throws IOException {
    heading("Page-table entries, as Java wrote them and as C finds them from the table's root");
    line("  An entry holds the physical address of a page, and bits. PRESENT: there is a page;");
    line(
        "  USER: programs may use it; WRITE: and store to it; ACCESSED: it was used; NX: it is no");
    line("  code; PSE: it is one of 2 MiB. Processors ignore SPECIAL; to a memory manager it says");
    line("  that there is no struct page, so nothing is counted.");
    for (DemoReport.SampleEntry entry : report.sampleEntries()) {
      line("  0x%012x  %s", entry.va(), entry.path());
      line(
          "      Java 0x%016x  %s  (%s)",
          entry.pte(), entry.bits(), entry.special() ? "no page frame" : "a counted page frame");
      line(
          "      C    0x%016x  %s, physical 0x%x",
          entry.nativePte(), entry.nativeSpecial() ? "special" : "not special", entry.nativePa());
    }
  }

  private void counts() throws IOException {
    heading("Memory, beside the usual way: a page cache, which copies each page into a frame");
    line("  %-38s %16s %16s", "", "in place", "page cache");
    row("pages read", counts.pagesRead(), counts.pagesRead());
    row(
        "page frames taken",
        counts.framesInUseAfter() - counts.framesInUseBefore(),
        counts.controlFrames());
    line("");
    line("  %-38s %16s %16s", "", "before", "after");
    row("frames in use, page tables apart", counts.framesInUseBefore(), counts.framesInUseAfter());
    row("bytes of struct pages (mem_map)", counts.memMapBytesBefore(), counts.memMapBytesAfter());
    line("");
    row("pages mapped by special entries", counts.specialEntries());
    row("pages by normal ones: holes, all zeros", counts.normalEntries());
    row("bytes of page tables", counts.pageTableBytes());
    row("bytes of struct pages the segment saves", counts.structPageBytesAvoided());
    row("bytes of it that the host copied (smaps)", report.privateDirtyBytes());
    row("entries that C sees differently", counts.nativeDisagreements());
    row("files whose SHA-256 differs", counts.sha256Mismatches());
    if (counts.notInPlace() > 0) {
      row("files that cannot be in place", counts.notInPlace());
    }
  }

  private void row(String name, long value) throws IOException {
    line("  %-41s %,13d", name, value);
  }

  private void row(String name, long left, long right) throws IOException {
    line("  %-38s %,16d %,16d", name, left, right);
  }

  private void times() throws IOException {
    heading("Time, cold: each once in this order, in a new JVM (xip bench has warm figures)");
    line(
        "  map and touch every page     %7.3f s   %,.0f ns a page",
        report.times().touch(), report.times().touch() * 1e9 / Math.max(1, counts.pagesRead()));
    line("    A touch of a page without an entry is a fault, which writes entries for it and the");
    line("    pages around it. There were %,d.", counts.faults());
    rate("read and hash in place", report.times().read());
    rate("read and hash the source", report.times().source());
    rate("all this by page cache", report.times().control());
    line("  everything                   %7.3f s", report.times().all());
  }

  private void rate(String what, double seconds) throws IOException {
    line("  %-28s %7.3f s   %,.0f MB/s", what, seconds, counts.bytesRead() / 1e6 / seconds);
  }

  private void secondAct() throws IOException {
    SecondAct act = report.secondAct();
    heading("Act two: a process maps " + act.path() + " privately, stores a byte, forks and exits");
    line("  A store to a private mapping copies the page into a frame first (copy on write).");
    row("faults of the first store: map, then copy", act.writeFaults());
    row("pages by special entries when it forks", act.specialEntries());
    row("frames that fork takes, page tables apart", act.forkFrames());
    row("frames that the child's store takes", act.childFrames());
    row("frames left when both have exited", act.framesLeft());
    line(
        "  the file's own bytes are %s, and the parent %s the child's store",
        act.originalKept() ? "as they were" : "CHANGED",
        act.parentKept() ? "does not see" : "SEES");
  }

  private void exec() throws IOException {
    ExecAct act = report.exec();
    if (act == null) {
      return;
    }
    heading("exec puts arguments on the new stack through get_user_pages, under a spin lock");
    line(
        "  get_user_pages asks of each entry whether there is a struct page to count. Under a"
            + " spin");
    line("  lock nothing may sleep, so the answer must not need a mutex.");
    line(
        "  By the special bit: %s has %s; arguments on its stack: %s",
        act.program(), plural(act.mappings(), "mapping"), act.arguments());
    line("  By pfn_valid, a search for the page's number, as a patch of 15 January 2008 had it:");
    line("      %s", act.bug());
    line("      %s", String.join(" > ", act.chain()));
  }

  private void thirdAct() throws IOException {
    ThirdAct act = report.thirdAct();
    heading("Act three: programs of this host run out of a segment, on a virtual processor (KVM)");
    line("  Its MMU, the part of a processor that reads page tables, walks the tables of xip.");
    if (act.absent() != null) {
      line("  not played: %s", act.absent());
    }
    for (ThirdAct.Run run : act.runs()) {
      line("  $ %s", run.command());
      for (String each : run.output().lines().toList()) {
        line("  %s", each);
      }
      RunAccount account = run.result().account();
      row("processes", run.result().processes());
      row("system calls", account.exits().systemCalls());
      row("page faults", account.exits().pageFaults());
      row("pages of the image, by special entries", account.entries().special());
      row("frames that hold code of the image", account.entries().textFrames());
      row("frames at most: memory, copies, tables", account.most().all());
      line("  in %.3f s, cold", account.nanos() / 1e9);
    }
  }

  private void strategies() throws IOException {
    heading("Every way to ask \"is there a struct page?\" of 2008, with 64 segments loaded");
    line(
        "  Right is: no frame for a segment, counted for RAM. ns/entry: warm, median of a short"
            + " race.");
    line("  xip history tells what each way is and when it was proposed.");
    line("  %-22s %-9s %-9s %9s  %s", "", "segment", "RAM", "ns/entry", "how it breaks");
    for (StrategyTable.Line each : report.strategies()) {
      line(
          "  %-22s %-9s %-9s %9s  %s",
          each.strategy(),
          each.segment(),
          each.ram(),
          Double.isNaN(each.nanos()) ? "" : "%.2f".formatted(each.nanos()),
          String.join("; ", each.breaks()));
    }
  }
}
