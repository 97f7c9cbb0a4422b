package dev.xip.measure;

import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.base.ProgressListener;
import dev.xip.cpu.Processors;
import dev.xip.host.HostFile;
import dev.xip.host.HostStream;
import dev.xip.linux.Program;
import dev.xip.linux.ProgramResult;
import dev.xip.linux.StandardStreams;
import dev.xip.machine.Machine;
import dev.xip.machine.MachineConfig;
import dev.xip.mount.ImageSource;
import dev.xip.pack.PackFormat;
import dev.xip.pack.Packer;
import dev.xip.scenario.HostTree;
import dev.xip.scenario.ImageRegion;
import dev.xip.vfs.RamTree;
import dev.xip.vfs.Vfs;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A machine that runs programs out of an image, with a gibibyte of RAM. */
final class GuestRun implements AutoCloseable {
  private static final long RAM_BYTES = 1L << 30;
  private static final long ROOT_DEVICE = 1;

  /** Single pages behind RAM, each with a hole before the next one; the image lies behind them. */
  private static final long FIRST_SEGMENT = 2L << 30;

  private static final List<String> ENVIRONMENT = List.of("PATH=/usr/bin:/bin", "LC_ALL=C");

  private final Machine machine;
  private final Processors processors;
  private final ImageRegion region;
  private final Vfs files;
  private String output = "";

  private GuestRun(Machine machine, Path image) throws IOException {
    this.machine = machine;
    this.region = ImageRegion.map(ImageSource.of(image), machine.memory());
    this.files =
        new Vfs(RamTree.over(region.image(), region::open, machine.pageCache(), ROOT_DEVICE));
    this.processors = Processors.boot(machine.memoryManager());
  }

  /**
   * Boots.
   *
   * @param config what differs from other machines
   * @param image a packed tree of programs
   * @param segments the number of segments beside the image's own
   */
  static GuestRun boot(MachineConfig config, Path image, int segments) throws IOException {
    long window = ImageRegion.windowFor(ImageSource.of(image));
    Machine machine = Machine.boot(config.withWindow(window).withRam(RAM_BYTES));
    boolean whole = false;
    try {
      for (int i = 0; i < segments; i++) {
        long start = FIRST_SEGMENT + 2 * i * Pages.SIZE;
        machine.memory().claim("SEG" + i, AddrRange.ofLength(start, Pages.SIZE), true);
      }
      GuestRun run = new GuestRun(machine, image);
      whole = true;
      return run;
    } finally {
      if (!whole) {
        machine.close();
      }
    }
  }

  /** Packs a tree. */
  static Path pack(HostTree tree, Path work) throws IOException {
    Path image = work.resolve("image");
    try {
      Packer.pack(tree.root(), image, PackFormat.EXT2, ProgressListener.NONE);
      return image;
    } catch (InterruptedException e) {
      throw new IOException("packing " + tree.root() + " was interrupted", e);
    }
  }

  Machine machine() {
    return machine;
  }

  Processors processors() {
    return processors;
  }

  ImageRegion region() {
    return region;
  }

  /** Runs a program that must succeed. */
  ProgramResult run(List<String> words) throws IOException {
    try (HostFile input = HostFile.memfd("input");
        HostFile out = HostFile.memfd("output")) {
      HostStream to = HostStream.of(out);
      ProgramResult result =
          new Program(
                  words.getFirst(),
                  words,
                  ENVIRONMENT,
                  new StandardStreams(HostStream.of(input), to, to, null),
                  null)
              .run(machine.memoryManager(), processors, files);
      output = out.text();
      if (result.status() != 0) {
        throw new IOException(
            "%s: expected status 0, found %s: %s".formatted(words, result, output));
      }
      return result;
    }
  }

  /** What the last program printed. */
  String output() {
    return output;
  }

  @Override
  public void close() throws IOException {
    files.close();
    processors.close();
    machine.close();
  }
}
