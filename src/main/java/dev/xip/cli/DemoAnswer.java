package dev.xip.cli;

import dev.xip.demo.Amounts;
import dev.xip.demo.DemoReport;
import dev.xip.demo.ThirdAct;
import dev.xip.host.HostPaths;
import java.io.IOException;

/** Prints in five lines what the demo has shown, and whether every law held. */
final class DemoAnswer {
  private DemoAnswer() {}

  static void print(DemoReport report, Output out) throws IOException {
    DemoReport.Counts counts = report.counts();
    line(
        out,
        "Read",
        "%s, %s, where they lie in an image of %s; %,d read wrong",
        Amounts.plural(counts.files(), "file"),
        Amounts.size(counts.bytesRead()),
        HostPaths.text(report.source()),
        counts.sha256Mismatches());
    line(
        out,
        "Frames",
        "%,d taken in place, %,d through a page cache (page frame: 4 KiB of RAM with a struct"
            + " page)",
        counts.framesInUseAfter() - counts.framesInUseBefore(),
        counts.controlFrames());
    line(
        out,
        "Mapped",
        "%,d pages by page-table entries with the special bit, \"no struct page\"; %s wrote"
            + " them",
        counts.specialEntries(),
        Amounts.plural(counts.faults(), "fault"));
    line(
        out,
        "Time",
        "%.1f s in place, %.1f s through the page cache; cold: each once, in place first, in a new"
            + " JVM",
        report.times().inPlace(),
        report.times().control());
    programs(report.thirdAct(), out);
  }

  private static void programs(ThirdAct act, Output out) throws IOException {
    if (act.absent() != null) {
      line(out, "Programs", "none ran: %s", act.absent());
      return;
    }
    line(
        out,
        "Programs",
        "%s of this host ran out of such an image, natively; %,d frames hold their code",
        Amounts.plural(act.runs().size(), "shell command"),
        act.runs().stream().mapToLong(run -> run.result().account().entries().textFrames()).sum());
  }

  private static void line(Output out, String about, String format, Object... arguments)
      throws IOException {
    out.line("%-9s %s".formatted(about, format.formatted(arguments)));
  }

  /** Prints whether every law held. */
  static void verdict(DemoReport report, Output out) throws IOException {
    out.line("");
    if (report.broken().isEmpty()) {
      out.line(
          "Every law held: not one page frame for the image, every byte as in the source, and all"
              + " counts back to zero.");
      return;
    }
    out.line("Laws that did NOT hold:");
    for (String each : report.broken()) {
      out.line("  " + each);
    }
  }

  /** Prints what else the command can show. */
  static void more(Output out) throws IOException {
    out.line(
        "Memory, page tables and frames are those of a machine that xip models in user space.");
    out.line("How it went, step by step: xip demo --details. As a picture: xip demo --svg FILE.");
  }
}
