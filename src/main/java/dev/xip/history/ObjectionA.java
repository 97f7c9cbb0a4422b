package dev.xip.history;

import dev.xip.file.InPlaceFile;
import dev.xip.measure.PatchedExec;
import dev.xip.pagetable.X8664Layout;
import dev.xip.process.ModelledProcess;
import dev.xip.segment.SegmentStore;
import dev.xip.vm.FrameStrategy;
import java.io.IOException;
import java.util.List;

/** Objection a: exec takes a mutex under a spin lock. */
final class ObjectionA {
  private ObjectionA() {}

  static void show(Findings findings) throws IOException {
    findings.part(
        "Objection a: a mutex in atomic context",
        "exec puts the arguments on the new stack through get_user_pages, which asks vm_normal_page"
            + " under the lock of the page table. The new stack is ordinary memory: no segment is"
            + " involved. In the mail it is the first program of the boot that dies of it. The"
            + " mail's way out, a spin lock in place of the mutex, leaves the other three.");
    SegmentStore store = Distribution.pack(findings.work());
    try (Distribution distribution = Distribution.boot(store, FrameStrategy.SPECIAL_BIT)) {
      InPlaceFile program = distribution.programs().getFirst();
      PatchedExec patched =
          PatchedExec.of(X8664Layout.INSTANCE, program, List.of(program.name(), "argument"));
      findings.broken(
          "exec of %s with the patch".formatted(program.name()), patched.bug(), patched.calls());
    }
    for (FrameStrategy each :
        List.of(FrameStrategy.MEM_SEGS_SPIN_LOCK, FrameStrategy.SPECIAL_BIT)) {
      try (Distribution distribution = Distribution.boot(store, each);
          ModelledProcess process =
              ModelledProcess.start(distribution.machine().memoryManager(), "init")) {
        InPlaceFile program = distribution.programs().getFirst();
        process.exec(program, List.of(program.name(), "argument"), List.of("HOME=/"));
        findings.expect(
            "the arguments of the same exec with " + each,
            List.of(program.name(), "argument"),
            process.arguments());
      }
    }
  }
}
