package dev.xip.history;

import dev.xip.base.Pages;
import dev.xip.history.Finding.Cell;
import dev.xip.history.Finding.Row;
import dev.xip.measure.NormalPageMachine;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.CorrectedModel;
import dev.xip.phys.FlatModel;
import dev.xip.phys.IntendedModel;
import dev.xip.phys.ListLock;
import dev.xip.phys.LraModel;
import dev.xip.phys.PostedModel;
import dev.xip.phys.SortedArrayModel;
import dev.xip.phys.SparseModel;
import java.io.IOException;
import java.util.List;

/** Objection c: a primitive at the bottom calls up. */
final class ObjectionC {
  /** What a pfn_valid that walks the loaded segments itself would need. */
  static final String IMPORT = "import dev.xip.segment.SegmentLoader;";

  /** The row of the layer table that refuses it. */
  static final String RULE = "phys uses only [base, host]";

  private ObjectionC() {}

  static void show(Findings findings) throws IOException {
    findings.part(
        "Objection c: a primitive that calls up",
        "pfn_valid should be a comparison or one instruction. The patch has core memory management"
            + " call the architecture, which takes the lock of a list that high-level code keeps."
            + " It also splits one question in two: virt_addr_valid, \"may I touch this address?\","
            + " was pfn_valid and has to keep the old answer, so the patch redirects it to"
            + " __pfn_in_kmap. The layer rules of xip refuse \"%s\" in dev.xip.phys: \"%s\"; UpwardCallTest runs them on such a class."
                .formatted(IMPORT, RULE));
    findings.expect(
        "packages that the models of dev.xip.phys use",
        "[dev.xip.base]",
        Imports.of(
                LraModel.class,
                PostedModel.class,
                CorrectedModel.class,
                IntendedModel.class,
                FlatModel.class,
                SparseModel.class,
                SortedArrayModel.class)
            .toString());
    try (NormalPageMachine machine = NormalPageMachine.boot(X8664Layout.INSTANCE, 1)) {
      long maxPfn = machine.memory().windowBytes() >>> Pages.SHIFT;
      LraModel inKernelMap = new LraModel(maxPfn);
      IntendedModel pfnValid = new IntendedModel(maxPfn, ListLock.SPIN_LOCK);
      machine.memory().attach(inKernelMap);
      machine.memory().attach(pfnValid);
      long segment = machine.memory().regions().get(1).range().start() >>> Pages.SHIFT;
      findings.table(
          "Two questions where there was one",
          List.of("", "RAM", "segment"),
          List.of(
              Row.of(
                  "virt_addr_valid: __pfn_in_kmap",
                  Cell.of(inKernelMap.pfnValid(1024), true),
                  Cell.of(inKernelMap.pfnValid(segment), true)),
              Row.of(
                  "pfn_valid, as meant",
                  Cell.of(pfnValid.pfnValid(1024), true),
                  Cell.of(pfnValid.pfnValid(segment), false))));
    }
  }
}
