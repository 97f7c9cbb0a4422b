package dev.xip.cli;

import dev.xip.demo.DemoReport;
import dev.xip.demo.ExecAct;
import dev.xip.demo.SecondAct;
import dev.xip.demo.ThirdAct;
import dev.xip.host.HostPaths;
import dev.xip.image.Extent;
import dev.xip.linux.RunAccount;
import dev.xip.measure.StrategyTable;
import java.io.IOException;
import java.util.List;

/** Prints the results of the demo, as text or as JSON. */
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
    story.line(
        "%s, read in place: %,d files, %s",
        HostPaths.text(report.source()), story.counts.files(), size(story.counts.bytesRead()));
    story.image();
    story.files();
    story.entries();
    story.counts();
    story.times();
    story.secondAct();
    story.exec();
    story.thirdAct();
    story.strategies();
    story.verdict();
  }

  private void line(String format, Object... arguments) throws IOException {
    out.line(format.formatted(arguments).stripTrailing());
  }

  private void heading(String text) throws IOException {
    out.line("");
    out.line(text);
  }

  private void image() throws IOException {
    heading(
        "The image is a segment: memory at a fixed physical address, loaded by mapping its file");
    line(
        "  %s, %,d blocks of %,d bytes, %s; segment %s lies at %s",
        report.info().format(),
        report.info().blocks(),
        report.info().blockSize(),
        size(report.imageBytes()),
        report.segmentName(),
        report.physical());
    line("  %s", window());
    line(
        "  the physical memory window, %s: R = RAM, %s, with page frames; S = the segment, with"
            + " none",
        size(report.windowBytes()), size(report.ramBytes()));
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
    heading("A file is extents of the image; nothing is copied out of them");
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
    heading("Entries of the page table, as Java wrote them and as C finds them from the root");
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
    heading("The cost, beside that of the same files read once through the page cache");
    line("  %-38s %16s %16s", "", "in place", "page cache");
    row("pages read", counts.pagesRead(), counts.pagesRead());
    row(
        "frames of RAM taken",
        counts.framesInUseAfter() - counts.framesInUseBefore(),
        counts.controlFrames());
    line("");
    line("  %-38s %16s %16s", "", "before", "after");
    row("frames in use, page tables apart", counts.framesInUseBefore(), counts.framesInUseAfter());
    row("mem_map bytes", counts.memMapBytesBefore(), counts.memMapBytesAfter());
    line("");
    row("special entries: no page frame", counts.specialEntries());
    row("normal entries: holes, on one sparse page", counts.normalEntries());
    row("bytes of page tables", counts.pageTableBytes());
    row("bytes that struct page would have taken", counts.structPageBytesAvoided());
    row("Private_Dirty of the segment, from smaps", report.privateDirtyBytes());
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
    heading("Time");
    line(
        "  map and touch every page     %7.3f s   %,.0f ns a page, %,d faults",
        report.times().touch(),
        report.times().touch() * 1e9 / Math.max(1, counts.pagesRead()),
        counts.faults());
    rate("read and hash in place", report.times().read());
    rate("read and hash the source", report.times().source());
    rate("read and hash by page cache", report.times().control());
    line("  everything                   %7.3f s", report.times().all());
  }

  private void rate(String what, double seconds) throws IOException {
    line("  %-28s %7.3f s   %,.0f MB/s", what, seconds, counts.bytesRead() / 1e6 / seconds);
  }

  private void secondAct() throws IOException {
    SecondAct act = report.secondAct();
    if (act == null) {
      return;
    }
    heading("Act two: a process maps " + act.path() + " privately, stores a byte, forks and exits");
    row("faults of the first store: map, then copy", act.writeFaults());
    row("special entries when it forks", act.specialEntries());
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
        "  special bit: %s has %s; arguments on its stack: %s",
        act.program(), plural(act.mappings(), "mapping"), act.arguments());
    line("  pfn_valid as posted on 15 January: %s", act.bug());
    line("      %s", String.join(" > ", act.chain()));
  }

  private void thirdAct() throws IOException {
    ThirdAct act = report.thirdAct();
    heading("Act three: programs of this host run out of a segment; an MMU walks these tables");
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
      row("special entries: the image's own pages", account.entries().special());
      row("frames for text", account.entries().textFrames());
      row("frames at most: memory, copies, tables", account.most().all());
      line("  in %.3f s", account.nanos() / 1e9);
    }
  }

  private void strategies() throws IOException {
    heading("Every way to ask \"is there a struct page?\", with 64 segments loaded");
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

  private void verdict() throws IOException {
    heading(
        report.broken().isEmpty()
            ? "Every law held: not one page frame for the segment, every byte as in the source, and"
                + " all counts back to zero."
            : "Laws that did NOT hold:");
    for (String each : report.broken()) {
      line("  %s", each);
    }
  }

  private static String size(long bytes) {
    return bytes < 1 << 20
        ? "%,d bytes".formatted(bytes)
        : bytes < 1L << 33
            ? "%,.1f MiB".formatted(bytes / 0x1p20)
            : "%,d GiB".formatted(bytes >> 30);
  }

  private static String plural(long count, String noun) {
    return "%,d %s%s".formatted(count, noun, count == 1 ? "" : "s");
  }

  static void printJson(DemoReport report, Output out) throws IOException {
    DemoReport.Counts counts = report.counts();
    JsonWriter json = new JsonWriter(out).beginObject();
    json.member("source", report.source())
        .member("format", report.info().format())
        .member("segment", report.segmentName())
        .member("physicalStart", report.physical().start())
        .member("physicalEnd", report.physical().end())
        .member("windowBytes", report.windowBytes())
        .member("ramBytes", report.ramBytes())
        .member("imageBytes", report.imageBytes())
        .member("files", counts.files())
        .member("filesNotInPlace", counts.notInPlace())
        .member("bytesRead", counts.bytesRead())
        .member("pagesRead", counts.pagesRead())
        .member("sha256Mismatches", counts.sha256Mismatches())
        .member("specialEntries", counts.specialEntries())
        .member("normalEntries", counts.normalEntries())
        .member("faults", counts.faults())
        .member("framesInUseBefore", counts.framesInUseBefore())
        .member("framesInUseAfter", counts.framesInUseAfter())
        .member("memMapBytesBefore", counts.memMapBytesBefore())
        .member("memMapBytesAfter", counts.memMapBytesAfter())
        .member("controlFrames", counts.controlFrames())
        .member("controlPeakFrames", counts.controlPeakFrames())
        .member("pageTableBytes", counts.pageTableBytes())
        .member("structPageBytesAvoided", counts.structPageBytesAvoided())
        .member("privateDirtyBytes", report.privateDirtyBytes())
        .member("nativeDisagreements", counts.nativeDisagreements())
        .member("touchSeconds", report.times().touch())
        .member("readSeconds", report.times().read())
        .member("sourceSeconds", report.times().source())
        .member("controlSeconds", report.times().control())
        .member("seconds", report.times().all());
    actTwoAsJson(report, json);
    json.name("broken").beginArray();
    for (String each : report.broken()) {
      json.value(each);
    }
    json.endArray().endObject().finish();
  }

  private static void actTwoAsJson(DemoReport report, JsonWriter json) throws IOException {
    SecondAct act = report.secondAct();
    if (act != null) {
      json.name("secondAct")
          .beginObject()
          .member("path", act.path())
          .member("writeFaults", act.writeFaults())
          .member("copies", act.copies())
          .member("originalKept", act.originalKept())
          .member("specialEntries", act.specialEntries())
          .member("forkFrames", act.forkFrames())
          .member("childFrames", act.childFrames())
          .member("parentKept", act.parentKept())
          .member("framesLeft", act.framesLeft())
          .endObject();
    }
    ExecAct exec = report.exec();
    if (exec != null) {
      json.name("exec")
          .beginObject()
          .member("program", exec.program())
          .member("mappings", exec.mappings())
          .member("mutexBug", exec.bug())
          .member("mutexChain", String.join(" > ", exec.chain()))
          .endObject();
    }
    json.name("thirdAct").beginObject().member("absent", report.thirdAct().absent());
    json.name("runs").beginArray();
    for (ThirdAct.Run run : report.thirdAct().runs()) {
      RunAccount account = run.result().account();
      json.beginObject()
          .member("command", run.command())
          .member("output", run.output())
          .member("status", run.result().status())
          .member("systemCalls", account.exits().systemCalls())
          .member("pageFaults", account.exits().pageFaults())
          .member("specialPages", account.entries().special())
          .member("textFrames", account.entries().textFrames())
          .member("framesAtMost", account.most().all())
          .member("seconds", account.nanos() / 1e9)
          .endObject();
    }
    json.endArray().endObject();
    json.name("strategies").beginArray();
    for (StrategyTable.Line each : report.strategies()) {
      json.beginObject()
          .member("strategy", each.strategy())
          .member("segment", each.segment().toString())
          .member("ram", each.ram().toString())
          .member("nanosPerEntry", each.nanos())
          .member("underLock", each.underLock())
          .name("breaks")
          .beginArray();
      for (String way : each.breaks()) {
        json.value(way);
      }
      json.endArray().endObject();
    }
    json.endArray();
  }
}
