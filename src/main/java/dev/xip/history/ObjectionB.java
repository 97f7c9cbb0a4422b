package dev.xip.history;

import dev.xip.measure.BenchRow;
import dev.xip.measure.OrdinaryForkBench;
import dev.xip.vm.FrameStrategy;
import java.io.IOException;
import java.util.List;

/** Objection b: the price on ordinary pages. */
final class ObjectionB {
  private static final int[] SEGMENTS = {1, 64, 512};

  private ObjectionB() {}

  static void show(Findings findings) throws IOException {
    findings.part(
        "Objection b: the fast path of ordinary pages",
        "Until 2.6.24-rc8 pfn_valid is asked about every present entry, inside VM_MIXEDMAP and"
            + " outside. So the price is paid by processes that map no segment at all. Piggin has"
            + " seen the look-up of sparsemem alone, an array and no list, cost nearly 5 % of"
            + " kernel time in fork, exec and exit on x86.");
    List<FrameStrategy> strategies =
        List.of(
            FrameStrategy.SPECIAL_BIT,
            FrameStrategy.FLAT,
            FrameStrategy.SPARSE,
            FrameStrategy.MEM_SEGS_SPIN_LOCK);
    StrategyNames.add(findings, strategies);
    List<BenchRow> rows = OrdinaryForkBench.run(strategies, SEGMENTS);
    findings.figures(
        "fork and exit of a process with %,d anonymous pages, entry by entry"
            .formatted(OrdinaryForkBench.PAGES),
        rows);
    for (FrameStrategy each :
        List.of(FrameStrategy.FLAT, FrameStrategy.SPARSE, FrameStrategy.MEM_SEGS_SPIN_LOCK)) {
      findings.seen(
          "with %s and 1 segment loaded the whole takes longer than with the bit by"
              .formatted(each),
          "%.0f %%".formatted(percentOver(rows, each, FrameStrategy.SPECIAL_BIT)));
    }
  }

  /** {@return by how much one strategy takes longer than another, in percent of the other} */
  static double percentOver(List<BenchRow> rows, FrameStrategy slow, FrameStrategy fast) {
    return (median(rows, slow) / median(rows, fast) - 1) * 100;
  }

  private static double median(List<BenchRow> rows, FrameStrategy strategy) {
    return rows.stream()
        .filter(row -> row.strategy().equals(strategy.toString()))
        .findFirst()
        .orElseThrow()
        .median();
  }
}
