package dev.xip.history;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import dev.xip.file.InPlaceFile;
import dev.xip.history.Account.Mail;
import dev.xip.history.Finding.Sketch;
import dev.xip.machine.Machine;
import dev.xip.measure.BenchRow;
import dev.xip.measure.OrdinaryForkBench;
import dev.xip.phys.FrameUse;
import dev.xip.process.ModelledProcess;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.Census;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.Vma;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** 17 January 2008: a distribution runs from an XIP file system; the check goes. */
final class Booted implements Step {
  @Override
  public Account account() {
    return new Account(
        "17-jan",
        "17 January 2008",
        "A distribution boots from the XIP file system, and the check goes",
        List.of(
            new Mail("Carsten Otte", "478F2CEA.9030905@de.ibm.com"),
            new Mail("mainline", "commit 9723198c219")),
        "Otte reports that the rollup works with dcssblk and ext2 -o xip on s390x: he has booted a"
            + " distribution and built a kernel with gcc and glibc on the XIP file system. In"
            + " mainline the check of ordinary entries by pfn_valid goes under CONFIG_DEBUG_VM the"
            + " same day; on s390x that makes lmbench's page faults 13 % and dbench 7 % faster.",
        "Ordinary entries have been free of pfn_valid ever since: vm_normal_page compares the pfn"
            + " with the end of the mem_map, no more.",
        List.of(Distribution.class, Machine.class, ModelledProcess.class, OrdinaryForkBench.class),
        List.of(
            "dev.xip.process.ExecTest",
            "dev.xip.process.ProcessHistoryTest",
            "dev.xip.machine.MachineTest"));
  }

  @Override
  public void run(Findings findings) throws IOException {
    try (Distribution distribution =
        Distribution.boot(Distribution.pack(findings.work()), FrameStrategy.SPECIAL_BIT)) {
      boot(findings, distribution);
    }
    findings.part(
        "The check that went",
        "fork and exit of a process without a segment: with s390's own pfn_valid asked about each"
            + " entry, as until 2.6.24-rc8, and without. LRA is a table look-up here and an"
            + " instruction there.");
    List<BenchRow> rows =
        OrdinaryForkBench.run(List.of(FrameStrategy.SPECIAL_BIT, FrameStrategy.LRA), new int[] {1});
    findings.figures(
        "fork and exit of a process with %,d anonymous pages".formatted(OrdinaryForkBench.PAGES),
        rows);
    findings.seen(
        "the check takes longer by",
        "%.0f %%"
            .formatted(ObjectionB.percentOver(rows, FrameStrategy.LRA, FrameStrategy.SPECIAL_BIT)));
  }

  private static void boot(Findings findings, Distribution distribution) throws IOException {
    Machine machine = distribution.machine();
    long framesBefore = machine.framesInUse();
    long memMapBefore = machine.memory().frames().bytes();
    List<ModelledProcess> running = new ArrayList<>();
    long special = 0;
    long normal = 0;
    long fileFrames = 0;
    for (InPlaceFile program : distribution.programs()) {
      ModelledProcess process = ModelledProcess.start(machine.memoryManager(), program.name());
      running.add(process);
      process.exec(program, List.of(program.name(), "--version"), List.of("PATH=/bin"));
      touchAll(process);
      running.add(process.fork(program.name() + " child"));
    }
    for (ModelledProcess each : running) {
      Census census = Census.of(each.space());
      special += census.special();
      normal += census.normal();
      fileFrames += each.space().fileFrames();
    }
    long pages = distribution.mounted().device().byteSize() >>> Pages.SHIFT;
    findings.part(
        "Real programs, run in place",
        "An ext2 image with programs of this host in a segment, mounted with -o xip. Each program"
            + " is exec'd as the kernel would, every page that it may read is touched, and it"
            + " forks. Its instructions are not run (xip has a processor for that).");
    AddressSpace first = running.getFirst().space();
    findings.add(
        new Sketch(
            List.of(
                Findings.entry(
                    "the first page of " + distribution.programs().getFirst().name(),
                    first,
                    first.vmas().getFirst().range().start())),
            List.of(),
            ""));
    findings.fact(
        "programs",
        String.join(", ", distribution.programs().stream().map(InPlaceFile::name).toList()),
        !distribution.programs().isEmpty());
    findings.expect("processes", 2 * distribution.programs().size(), running.size());
    findings.fact("special entries: pages of the image in place", special, special > 0);
    findings.fact("ordinary entries: stacks, data, private copies", normal, normal > 0);
    findings.expect("struct pages in use for pages of the image", 0L, fileFrames);
    findings.expect(
        "frames of a page cache", 0L, machine.memory().allocator().inUse(FrameUse.PAGE_CACHE));
    running.reversed().forEach(ModelledProcess::close);
    findings.expect(
        "frames in use, page tables apart, before and after",
        "%d and %d".formatted(framesBefore, framesBefore),
        "%d and %d".formatted(framesBefore, machine.framesInUse()));
    findings.fact(
        "bytes of struct pages (mem_map) before and after",
        "%,d and %,d; %,d pages of the segment have none"
            .formatted(memMapBefore, machine.memory().frames().bytes(), pages),
        memMapBefore == machine.memory().frames().bytes());
    findings.expect(
        "differences between counts and page tables", "[]", machine.verify().toString());
  }

  private static void touchAll(ModelledProcess process) throws IOException {
    for (Vma vma : process.space().vmas()) {
      if (vma.access().read()) {
        Trial.touch(process.space(), vma.range(), Access.READ);
      }
    }
  }
}
