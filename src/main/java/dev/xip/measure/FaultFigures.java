package dev.xip.measure;

import static dev.xip.measure.Figure.params;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.host.HostFile;
import dev.xip.host.Reservation;
import dev.xip.host.Sharing;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.Translation;
import dev.xip.measure.Race.Lane;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.Region;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.Advice;
import dev.xip.vm.FaultResult;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MapFlag;
import dev.xip.vm.MapRequest;
import dev.xip.vm.MemoryManager;
import dev.xip.vm.Rules;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Faults, populate and huge leaves, beside the kernel's own on the same file. */
final class FaultFigures {
  private static final long REGION = 4L << 30;
  private static final long BYTES = 1L << 30;
  private static final int PAGES = (int) (BYTES >>> Pages.SHIFT);
  private static final long TEBIBYTE = 1L << 40;

  /** What one fault maps by default, here and in the kernel. */
  private static final int GROUP = 16;

  private FaultFigures() {}

  static List<Figure> measure(Path folder) throws IOException {
    List<Figure> figures = new ArrayList<>();
    try (HostFile file = HostFile.memfd("benchmark");
        PhysicalMemory memory = PhysicalMemory.boot(REGION + BYTES, 64L << 20);
        Reservation kernel = Reservation.inaccessible(BYTES)) {
      file.truncate(BYTES);
      Region region = memory.claim("BENCH", AddrRange.ofLength(REGION, BYTES), true);
      memory.mapFile(region, 0, file, 0, BYTES, Access.READ, Sharing.SHARED);
      kernel.mapFile(0, BYTES, file, 0, Access.READ_WRITE, Sharing.SHARED);
      kernel.advise(0, BYTES, dev.xip.host.Advice.POPULATE_WRITE);
      try (Mapped single = new Mapped(memory, Rules.DEFAULT.withFaultAround(1));
          Mapped group = new Mapped(memory, Rules.DEFAULT)) {
        race(single, group, kernel, figures);
      }
    }
    tebibyte(figures);
    return figures;
  }

  private static void race(Mapped single, Mapped group, Reservation kernel, List<Figure> figures)
      throws IOException {
    Race race = new Race();
    Lane one = race.lane(PAGES, single::discard, () -> single.touchEvery(1));
    Lane many = race.lane((double) PAGES / GROUP, group::discard, () -> group.touchEvery(GROUP));
    Race.Preparation discard = () -> kernel.advise(0, BYTES, dev.xip.host.Advice.DONTNEED);
    Lane kernelFault =
        race.lane((double) PAGES / GROUP, discard, () -> touchEvery(kernel.memory(), GROUP));
    Lane populate = race.lane(PAGES, group::discard, group::populate);
    Lane kernelPopulate =
        race.lane(
            PAGES,
            discard,
            () -> {
              kernel.advise(0, BYTES, dev.xip.host.Advice.POPULATE_READ);
              return 1;
            });
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

  private static long touchEvery(MemorySegment memory, int pages) {
    long sum = 0;
    for (long at = 0; at < BYTES; at += pages * Pages.SIZE) {
      sum += memory.get(ValueLayout.JAVA_BYTE, at);
    }
    return sum;
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

  /**
   * A file that is one run.
   *
   * @param firstPfn where it begins
   * @param size its bytes
   */
  private record OneRun(long firstPfn, long size) implements Mappable {
    @Override
    public String name() {
      return "benchmark";
    }

    @Override
    public Translation translate(long page) {
      return new Translation(firstPfn + page, (size >>> Pages.SHIFT) - page);
    }
  }

  /** An address space that maps the region with entries for single pages. */
  private static final class Mapped implements AutoCloseable {
    private final AddressSpace space;
    private final AddrRange range;

    Mapped(PhysicalMemory memory, Rules rules) throws IOException {
      MemoryManager manager =
          new MemoryManager(
              memory, X8664Layout.INSTANCE, FrameStrategy.SPECIAL_BIT.on(memory), rules);
      space = manager.newAddressSpace("benchmark");
      // One page off, so that no huge leaf can stand for the pages.
      range =
          space.map(
              MapRequest.shared(new OneRun(REGION >>> Pages.SHIFT, BYTES), Access.READ)
                  .at((8L << 30) + Pages.SIZE));
    }

    void discard() throws IOException {
      space.advise(range, Advice.DONTNEED);
    }

    long touchEvery(int pages) throws IOException {
      for (long va = range.start(); va < range.end(); va += pages * Pages.SIZE) {
        if (space.fault(va, Access.READ) instanceof FaultResult.Refused refused) {
          throw refused.cause();
        }
      }
      return range.end();
    }

    long populate() throws IOException {
      space.advise(range, Advice.WILLNEED);
      return range.end();
    }

    @Override
    public void close() {
      space.close();
    }
  }
}
