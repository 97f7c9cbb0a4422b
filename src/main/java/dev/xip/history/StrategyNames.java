package dev.xip.history;

import dev.xip.history.Finding.Cell;
import dev.xip.history.Finding.Row;
import dev.xip.vm.FrameStrategy;
import java.util.ArrayList;
import java.util.List;

/** What the names of the strategies in tables and charts mean. */
final class StrategyNames {
  private StrategyNames() {}

  /** Adds a table with a line for each. */
  static void add(Findings findings, List<FrameStrategy> strategies, Row... more) {
    List<Row> rows = new ArrayList<>();
    for (FrameStrategy each : strategies) {
      rows.add(Row.of(each.toString(), Cell.plain(meaning(each))));
    }
    rows.addAll(List.of(more));
    findings.table("The ways by name", List.of("name", "how it decides"), rows);
  }

  private static String meaning(FrameStrategy strategy) {
    return switch (strategy) {
      case LRA -> "pfn_valid of s390: is there memory?";
      case REFCOUNT_PFN -> "8 January: the list says what to count, in VM_MIXEDMAP";
      case REFCOUNT_PTE_BIT -> "9 January, s390: a bit in VM_MIXEDMAP, lra elsewhere";
      case REFCOUNT_PTE_PFN_VALID -> "9 January, ARM: flat, in VM_MIXEDMAP and elsewhere";
      case MEM_SEGS_POSTED -> "15 January: lra, and not found by the walk as posted";
      case MEM_SEGS_CORRECTED -> "the same with the test of the walk put right";
      case MEM_SEGS_MUTEX -> "15 January, as meant: lra, and in no listed segment";
      case MEM_SEGS_SPIN_LOCK -> "15 January, as meant, with a spin lock for the mutex";
      case FLAT -> "pfn_valid: is the pfn below the end of mem_map?";
      case SPARSE -> "pfn_valid: does its section have struct pages?";
      case SORTED_ARRAY -> "pfn_valid: is the pfn in no segment of a sorted array?";
      case FLAT_IF_MIXED -> "merged, without the bit: flat, in VM_MIXEDMAP alone";
      case SPECIAL_BIT -> "merged, with the bit: is it set in the entry?";
    };
  }
}
