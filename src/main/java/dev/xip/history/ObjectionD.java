package dev.xip.history;

import dev.xip.base.Pages;
import dev.xip.history.Finding.Cell;
import dev.xip.history.Finding.Row;
import dev.xip.measure.NormalPageMachine;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.BootStep;
import dev.xip.phys.MemoryModel;
import dev.xip.phys.PhysicalMemory;
import dev.xip.vm.FrameStrategy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Objection d: pfn_valid is asked before the list is filled. */
final class ObjectionD {
  private ObjectionD() {}

  static void show(Findings findings) throws IOException {
    findings.part(
        "Objection d: asked before the list is filled",
        "A boot in steps: nothing is known; the static tables exist; RAM is on the list (on s390 by"
            + " a core_initcall); segments are. Each model is asked after each step, about a page"
            + " of RAM and a page of a segment. An empty table of sparsemem says no to everything,"
            + " which is wrong about RAM and harmless about segments; an empty list takes a segment"
            + " for RAM.");
    List<Row> rows = new ArrayList<>();
    try (NormalPageMachine machine = NormalPageMachine.boot(X8664Layout.INSTANCE, 1)) {
      PhysicalMemory memory = machine.memory();
      long segment = memory.regions().get(1).range().start() >>> Pages.SHIFT;
      for (FrameStrategy strategy :
          List.of(
              FrameStrategy.LRA,
              FrameStrategy.FLAT,
              FrameStrategy.SPARSE,
              FrameStrategy.SORTED_ARRAY,
              FrameStrategy.MEM_SEGS_POSTED,
              FrameStrategy.MEM_SEGS_CORRECTED,
              FrameStrategy.MEM_SEGS_MUTEX)) {
        List<Cell> cells = new ArrayList<>();
        for (BootStep step : BootStep.values()) {
          MemoryModel model = strategy.newModel(memory).orElseThrow();
          memory.tell(model, step);
          boolean ram = model.pfnValid(1024);
          boolean shared = model.pfnValid(segment);
          cells.add(
              new Cell(
                  "%s/%s".formatted(ram ? "yes" : "no", shared ? "yes" : "no"), !ram || shared));
        }
        rows.add(new Row(strategy.toString(), cells));
      }
    }
    findings.table(
        "\"Is there a struct page?\" for RAM / for a segment; right is yes/no",
        List.of("pfn_valid", "at the start", "static tables", "RAM listed", "segments listed"),
        rows);
    findings.fact("the special bit at every step", "needs no table and no list", true);
  }
}
