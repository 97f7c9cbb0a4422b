package dev.xip.history;

import dev.xip.base.Pages;
import dev.xip.base.ProgressListener;
import dev.xip.elf.ElfImage;
import dev.xip.elf.MalformedElfException;
import dev.xip.file.InPlaceFile;
import dev.xip.image.PathResolver;
import dev.xip.machine.Machine;
import dev.xip.machine.MachineConfig;
import dev.xip.machine.Mount;
import dev.xip.pack.PackFormat;
import dev.xip.pack.Packer;
import dev.xip.segment.SegmentException;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentSource;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.SegmentType;
import dev.xip.vm.FrameStrategy;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A few programs of this host in an ext2 image, the image a segment, the segment mounted with the
 * option xip: the distribution of January 2008, small.
 */
final class Distribution implements AutoCloseable {
  private static final String SEGMENT = "DISTRO";
  private static final String BIN = "bin";
  private static final long RAM_BYTES = 64L << 20;

  /** Looked for on the host; the JDK that runs this has the last ones. */
  private static final List<Path> PROGRAMS =
      List.of(
          Path.of("/usr/bin/true"),
          Path.of("/usr/bin/cat"),
          Path.of("/usr/bin/ls"),
          Path.of("/usr/bin/dash"),
          Path.of("/usr/bin/bash"),
          Path.of("/usr/bin/sort"),
          Path.of(System.getProperty("java.home"), "bin", "java"),
          Path.of(System.getProperty("java.home"), "lib", "jspawnhelper"));

  private final Machine machine;
  private final Mount mount;
  private final List<InPlaceFile> programs = new ArrayList<>();

  private Distribution(Machine machine, Mount mount) {
    this.machine = machine;
    this.mount = mount;
  }

  /**
   * Packs the programs and makes the image a segment.
   *
   * @param work an empty folder
   * @return the store with the segment
   */
  static SegmentStore pack(Path work) throws IOException {
    Path bin = Files.createDirectory(Files.createDirectory(work.resolve("tree")).resolve(BIN));
    for (Path each : PROGRAMS) {
      if (Files.isRegularFile(each) && Files.isReadable(each)) {
        copy(each, bin.resolve(each.getFileName()));
      }
    }
    Path image = work.resolve("distro.img");
    pack(work.resolve("tree"), image);
    SegmentStore store = SegmentStore.create(work.resolve("store"));
    SegmentName name = SegmentName.of(SEGMENT);
    store.define(
        store.place(name, SegmentType.SR, Pages.roundUp(Files.size(image))),
        SegmentSource.moving(image));
    return store;
  }

  /** Copies a file. Java names the source of a copy for which there is no room. */
  private static void copy(Path from, Path to) throws IOException {
    try {
      Files.copy(from, to);
    } catch (FileSystemException e) {
      throw e.getReason() == null
          ? e
          : new FileSystemException(to.toString(), from.toString(), e.getReason());
    }
  }

  /**
   * Boots a machine and mounts the segment.
   *
   * @param store what {@link #pack} returned
   * @param strategy the machine's strategy
   */
  static Distribution boot(SegmentStore store, FrameStrategy strategy) throws IOException {
    SegmentName name = SegmentName.of(SEGMENT);
    long end = store.query(name).definition().range().end();
    Machine machine =
        Machine.boot(
            MachineConfig.DEFAULT.withWindow(end).withRam(RAM_BYTES).withStrategy(strategy), store);
    try {
      Distribution made = new Distribution(machine, machine.mount("xip", name));
      made.open();
      return made;
    } catch (IOException | RuntimeException e) {
      machine.close();
      throw e;
    }
  }

  private static void pack(Path tree, Path image) throws IOException {
    try {
      Packer.pack(tree, image, PackFormat.EXT2, ProgressListener.NONE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while " + image + " was made", e);
    }
  }

  private void open() throws IOException {
    for (Path each : PROGRAMS) {
      String path = "/%s/%s".formatted(BIN, each.getFileName());
      try {
        InPlaceFile file = mount.open(path, PathResolver.resolve(mount.image(), path, true));
        if (isProgram(file)) {
          programs.add(file);
        }
      } catch (NoSuchFileException e) {
        // This host does not have the program.
      }
    }
  }

  private static boolean isProgram(InPlaceFile file) throws IOException {
    try {
      ElfImage.read(file.name(), file.size(), file::read);
      return true;
    } catch (MalformedElfException e) {
      return false;
    }
  }

  Machine machine() {
    return machine;
  }

  Mount mounted() {
    return mount;
  }

  /** {@return the programs, at least one: that of the JDK} */
  List<InPlaceFile> programs() {
    return programs;
  }

  @Override
  public void close() throws SegmentException {
    mount.close();
    machine.close();
  }
}
