package dev.xip.measure;

import static dev.xip.measure.Figure.params;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import dev.xip.measure.Race.Lane;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PhysicalMemory;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.MapFlag;
import dev.xip.vm.MapRequest;
import dev.xip.vm.MemoryManager;
import dev.xip.vm.Rules;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Faults, populate and huge leaves, beside the kernel's own on the same file. */
final class FaultFigures {
  private static final long REGION = 4L << 30;
  private static final long BYTES = 1L << 30;
  private static final int PAGES = (int) (BYTES >>> Pages.SHIFT);
  private static final long TEBIBYTE = 1L << 40;

  private FaultFigures() {}

  static List<Figure> measure(Path folder) throws IOException {
    List<Figure> figures = new ArrayList<>();
    try (FaultedFile file = FaultedFile.create(BYTES);
        FaultedFile.Mapped single = file.map(Rules.DEFAULT.withFaultAround(1));
        FaultedFile.Mapped group = file.map(Rules.DEFAULT)) {
      race(file, single, group, figures);
    }
    tebibyte(figures);
    return figures;
  }

  private static void race(
      FaultedFile file, FaultedFile.Mapped single, FaultedFile.Mapped group, List<Figure> figures)
      throws IOException {
    double groups = (double) PAGES / FaultedFile.GROUP;
    Race race = new Race();
    Lane one = race.lane(PAGES, single::discard, () -> single.touchEvery(1));
    Lane many = race.lane(groups, group::discard, () -> group.touchEvery(FaultedFile.GROUP));
    Lane kernelFault = race.lane(groups, file::kernelDiscard, file::kernelTouch);
    Lane populate = race.lane(PAGES, group::discard, group::populate);
    Lane kernelPopulate = race.lane(PAGES, file::kernelDiscard, file::kernelPopulate);
    race.run();
    String fault = "fault on a present block";
    figures.add(
        new Figure(
            fault,
            params("pages", "1"),
            "ns/fault",
            one.median(),
            "",
            Double.NaN,
            Goal.atMost(100)));
    figures.add(
        new Figure(
            fault,
            params("pages", "16"),
            "ns/fault",
            many.median(),
            "the kernel's minor fault",
            kernelFault.median(),
            Goal.ahead(2)));
    figures.add(
        new Figure(
            "populate",
            params("bytes", "1 GiB"),
            "ns/page",
            populate.median(),
            "",
            Double.NaN,
            Goal.atMost(3)));
    figures.add(
        new Figure(
            "populate",
            params("bytes", "1 GiB"),
            "ns/page",
            populate.median(),
            "MADV_POPULATE_READ",
            kernelPopulate.median(),
            Goal.ahead(30)));
  }

  /** A tebibyte in leaves of 2 MiB: time and tables. */
  private static void tebibyte(List<Figure> figures) throws IOException {
    try (PhysicalMemory memory = PhysicalMemory.boot(REGION + TEBIBYTE, 64L << 20)) {
      MemoryManager manager = new MemoryManager(memory, X8664Layout.INSTANCE);
      // 2 MiB off a multiple of 1 GiB, so that no larger leaf fits.
      MapRequest request =
          MapRequest.shared(new OneRun(1L << 30 >>> Pages.SHIFT, TEBIBYTE), Access.READ)
              .at((1L << 41) + (2L << 20))
              .with(MapFlag.POPULATE);
      AddressSpace[] space = {manager.newAddressSpace("benchmark")};
      Race race = new Race();
      Lane map =
          race.lane(
              1e6, // so that the figure is in milliseconds
              () -> {
                space[0].close();
                space[0] = manager.newAddressSpace("benchmark");
              },
              () -> space[0].map(request).start());
      race.run();
      long tables = memory.allocator().inUse(FrameUse.TABLE) << Pages.SHIFT >>> 10;
      space[0].close();
      figures.add(
          new Figure(
              "map 1 TiB",
              params("leaves", "of 2 MiB"),
              "ms",
              map.median(),
              "",
              Double.NaN,
              Goal.atMost(10)));
      figures.add(
          new Figure(
              "tables of 1 TiB",
              params("leaves", "of 2 MiB"),
              "KiB",
              tables,
              "",
              Double.NaN,
              Goal.atMost(4198))); // 4.1 MiB
    }
  }
}
