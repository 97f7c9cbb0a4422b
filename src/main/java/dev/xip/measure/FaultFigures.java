package dev.xip.measure;

import static dev.xip.measure.Figure.params;

import dev.xip.base.Access;
import dev.xip.base.Pages;
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
import java.util.SequencedMap;

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
    String fault = "fault on a present block";
    Contender one = race.add(fault, PAGES, single::discard, () -> single.touchEvery(1));
    Contender many =
        race.add(fault, groups, group::discard, () -> group.touchEvery(FaultedFile.GROUP));
    Contender kernelFault =
        race.add("the kernel's minor fault", groups, file::kernelDiscard, file::kernelTouch);
    Contender populate = race.add("populate", PAGES, group::discard, group::populate);
    Contender kernelPopulate =
        race.add("MADV_POPULATE_READ", PAGES, file::kernelDiscard, file::kernelPopulate);
    race.run();
    figures.add(Figure.of(one, params("pages", "1"), "ns/fault", Goal.atMost(100)));
    figures.add(Figure.of(many, params("pages", "16"), "ns/fault", kernelFault, Goal.ahead(2)));
    SequencedMap<String, String> params = params("bytes", "1 GiB");
    figures.add(Figure.of(populate, params, "ns/page", Goal.atMost(3)));
    figures.add(Figure.of(populate, params, "ns/page", kernelPopulate, Goal.ahead(30)));
  }

  /** A tebibyte in leaves of 2 MiB: the time to map it and the bytes of its tables. */
  private static void tebibyte(List<Figure> figures) throws IOException {
    try (PhysicalMemory memory = PhysicalMemory.boot(REGION + TEBIBYTE, 64L << 20)) {
      MemoryManager manager = new MemoryManager(memory, X8664Layout.INSTANCE);
      // 2 MiB past a multiple of 1 GiB, so that no larger leaf fits.
      MapRequest request =
          MapRequest.shared(new ContiguousFile(1L << 30 >>> Pages.SHIFT, TEBIBYTE), Access.READ)
              .at((1L << 41) + (2L << 20))
              .with(MapFlag.POPULATE);
      AddressSpace[] space = {manager.newAddressSpace("benchmark")};
      Race race = new Race();
      Contender map =
          race.add(
              "map 1 TiB",
              1e6, // so that the figure is in milliseconds
              () -> {
                space[0].close();
                space[0] = manager.newAddressSpace("benchmark");
              },
              () -> space[0].map(request).start());
      race.run();
      long tables = memory.allocator().inUse(FrameUse.TABLE) << Pages.SHIFT >>> 10;
      space[0].close();
      figures.add(Figure.of(map, params("leaves", "of 2 MiB"), "ms", Goal.atMost(10)));
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
