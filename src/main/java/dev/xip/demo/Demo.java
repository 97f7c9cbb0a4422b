package dev.xip.demo;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.FileName;
import dev.xip.base.Pages;
import dev.xip.base.ProgressListener;
import dev.xip.file.CachedFile;
import dev.xip.file.InPlaceFile;
import dev.xip.host.HostPaths;
import dev.xip.host.Leftovers;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.image.TreeWalk;
import dev.xip.image.Verdict;
import dev.xip.machine.Machine;
import dev.xip.machine.MachineConfig;
import dev.xip.machine.Mount;
import dev.xip.machine.Smaps;
import dev.xip.measure.StrategyTable;
import dev.xip.mount.OpenImage;
import dev.xip.pack.PackFormat;
import dev.xip.pack.Packer;
import dev.xip.phys.PageFrames;
import dev.xip.phys.PhysicalMemory;
import dev.xip.segment.SegmentDefinition;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentSource;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.SegmentType;
import dev.xip.segment.StoredSegment;
import dev.xip.vm.AddressReader;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.Census;
import dev.xip.vm.MapRequest;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Measures the way from an image file to a byte read through a page-table entry with the special
 * bit, on real input: pack, define, load, mount, map, touch, read, compare.
 */
public final class Demo {
  private static final String SEGMENT = "DEMO";

  /** The execute permissions of owner, group and others. */
  private static final int ANY_EXECUTE = 0111;

  /** RAM for page tables and the like, in addition to that of the page-cache control. */
  private static final long SPARE_RAM = 64L << 20;

  /** The most RAM; the page-cache control drops old files to stay within it. */
  private static final long MOST_RAM = 3L << 30;

  private final Path work;
  private final DemoListener listener;
  private final long started = System.nanoTime();
  private final MessageDigest sha;
  private final byte[] buffer = new byte[DemoSource.BUFFER_BYTES];
  private final List<MappedFile> files = new ArrayList<>();
  private final List<String> wrong = new ArrayList<>();
  private List<DemoReport.SampleEntry> samples = List.of();
  private DemoReport.SamePage samePage;
  private SecondAct secondAct;
  private ExecAct exec;
  private ThirdAct thirdAct;
  private long notInPlace;
  private long mismatches;
  private long controlFrames;
  private long controlPeakFrames;
  private long privateDirtyBytes;
  private double touchSeconds;
  private double readSeconds;
  private double sourceSeconds;
  private double controlSeconds;

  /** A file of the image, its mapping, and the digest of the bytes read through it. */
  private record MappedFile(
      FileName path, Inode inode, InPlaceFile file, AddrRange range, byte[] digest) {
    MappedFile withDigest(byte[] read) {
      return new MappedFile(path, inode, file, range, read);
    }
  }

  private Demo(Path work, DemoListener listener) {
    this.work = work;
    this.listener = listener;
    try {
      this.sha = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }

  /**
   * Packs a folder and runs the demo on it.
   *
   * @param folder the folder
   * @param work an empty folder for image and segment store, some 4 % larger than the contents, and
   *     as much again while the folder is packed
   * @param listener receives the progress
   * @return the results
   * @throws IOException if a file cannot be read or written
   * @throws InterruptedException if the thread is interrupted while the image is packed
   */
  public static DemoReport ofFolder(Path folder, Path work, DemoListener listener)
      throws IOException, InterruptedException {
    Demo demo = new Demo(work, listener);
    Path image = work.resolve("demo.img");
    Packer.pack(folder, image, PackFormat.EXT2, listener.begin("packing " + folder));
    return demo.run(folder, SegmentSource.moving(image), Files.size(image), true);
  }

  /**
   * Runs the demo on an image.
   *
   * @param image the image, which is only read
   * @param source the file or block device, or the name of an image in segments
   * @param work an empty folder for the segment store, as large as the image
   * @param listener receives the progress
   * @return the results
   * @throws IOException if a file cannot be read or written
   * @throws InterruptedException if the thread is interrupted while an image is packed
   */
  public static DemoReport ofImage(OpenImage image, Path source, Path work, DemoListener listener)
      throws IOException, InterruptedException {
    image.requireNothingReplayed();
    long bytes = image.pieces().getLast().end();
    ProgressListener progress = listener.begin("copying " + source);
    List<SegmentSource.FilePart> parts =
        image.pieces().stream()
            .map(each -> new SegmentSource.FilePart(each.file(), each.fileOffset(), each.length()))
            .toList();
    SegmentSource copy = SegmentSource.copyOf(parts, done -> progress.at(done, bytes));
    return new Demo(work, listener).run(source, copy, bytes, false);
  }

  private DemoReport run(Path source, SegmentSource data, long imageBytes, boolean folder)
      throws IOException, InterruptedException {
    SegmentStore store = Leftovers.step(() -> SegmentStore.create(work.resolve("store")));
    SegmentName name = SegmentName.of(SEGMENT);
    SegmentDefinition place = store.place(name, SegmentType.SR, Pages.roundUp(imageBytes));
    StoredSegment stored = store.define(place, data);
    try (Machine machine = Machine.boot(sizeFor(place, imageBytes), store);
        Mount mount = machine.mount(name);
        FileChannel channel = FileChannel.open(stored.dataFile(), StandardOpenOption.READ)) {
      DemoSource original =
          folder ? DemoSource.folder(source) : DemoSource.image(mount.image(), channel);
      DemoReport.Counts counts;
      try (AddressSpace space = machine.memoryManager().newAddressSpace("demo")) {
        counts = measure(machine, mount, space, original);
        demandSomething(source, counts);
        privateDirtyBytes = Smaps.sum(stored.dataFile().toRealPath(), "Private_Dirty");
        wrong.addAll(machine.verify());
      }
      wrong.addAll(machine.verify());
      playSecondAct(machine);
      wrong.addAll(machine.verify());
      thirdAct = ThirdAct.play(work, listener.begin("act three: programs of this host"));
      return new DemoReport(
          source,
          mount.image().info(),
          SEGMENT,
          mount.device().range(),
          machine.memory().windowBytes(),
          machine.memory().ramBytes(),
          imageBytes,
          privateDirtyBytes,
          counts,
          new DemoReport.Times(
              touchSeconds, readSeconds, sourceSeconds, controlSeconds, seconds(started)),
          wrong,
          largestFirst(),
          samples,
          samePage,
          secondAct,
          exec,
          thirdAct,
          StrategyTable.ask(machine.memoryManager().layout()));
    }
  }

  /** Laws that hold for no file at all prove nothing. */
  private static void demandSomething(Path source, DemoReport.Counts counts)
      throws FileSystemException {
    if (counts.files() == 0) {
      throw new FileSystemException(
          HostPaths.text(source),
          null,
          "has no file to show in place%s"
              .formatted(
                  counts.notInPlace() == 0
                      ? ": expected one that is not empty"
                      : ", and %d that cannot be: xip check IMAGE says why"
                          .formatted(counts.notInPlace())));
    }
  }

  private void playSecondAct(Machine machine) throws IOException {
    listener.begin("act two: copy on write, fork, exec, and every strategy");
    List<MappedFile> large =
        files.stream()
            .sorted(Comparator.comparingLong((MappedFile each) -> -each.file.size()))
            .toList();
    secondAct = SecondAct.play(machine, large.getFirst().file);
    // Smallest first: the headers of a small program show as much.
    for (MappedFile each : large.reversed()) {
      if (exec == null && (each.inode.permissions() & ANY_EXECUTE) != 0) {
        exec = ExecAct.play(machine, machine.memoryManager().layout(), each.file);
      }
    }
  }

  private DemoReport.Counts measure(
      Machine machine, Mount mount, AddressSpace space, DemoSource original) throws IOException {
    long framesBefore = machine.framesInUse();
    long memMapBefore = machine.memory().frames().bytes();
    touchSeconds = timed(() -> mapAndTouch(mount, space));
    readSeconds = timed(() -> readInPlace(space));
    long framesAfter = machine.framesInUse();
    long memMapAfter = machine.memory().frames().bytes();
    sourceSeconds = timed(() -> compare(original));
    listener.begin("walking the same tables in C");
    Census census = Census.of(space);
    long disagreements = NativeCheck.disagreements(space);
    samples = DemoSamples.entries(space);
    controlSeconds = timed(() -> readThroughPageCache(machine, mount));
    return new DemoReport.Counts(
        files.size(),
        notInPlace,
        totalBytes(),
        files.stream().mapToLong(each -> Pages.covering(each.file.size())).sum(),
        mismatches,
        census.special(),
        census.normal(),
        space.minorFaults(),
        framesBefore,
        framesAfter,
        memMapBefore,
        memMapAfter,
        controlFrames,
        controlPeakFrames,
        census.tables() << Pages.SHIFT,
        (mount.device().byteSize() >>> Pages.SHIFT) * PageFrames.RECORD_BYTES,
        disagreements);
  }

  private static MachineConfig sizeFor(SegmentDefinition place, long imageBytes) {
    long window = PhysicalMemory.DEFAULT_WINDOW_BYTES;
    while (window < place.range().end()) {
      window *= 2;
    }
    return MachineConfig.DEFAULT
        .withWindow(window)
        .withRam(Math.min(MOST_RAM, imageBytes + imageBytes / 64 + SPARE_RAM));
  }

  private void mapAndTouch(Mount mount, AddressSpace space) throws IOException {
    ProgressListener progress = listener.begin("mapping and touching every page");
    AddressReader reader = new AddressReader(space);
    long imageBytes = mount.device().byteSize();
    long[] touched = new long[1];
    TreeWalk.walk(
        mount.image(),
        mount.image().root(),
        (walk, inode) -> {
          if (inode.type() != FileType.REGULAR || inode.size() == 0) {
            return;
          }
          if (mount.image().blockMap(inode).verdict() != Verdict.IN_PLACE) {
            notInPlace++;
            return;
          }
          FileName path = walk.path();
          InPlaceFile file = mount.open(path.exactText(), inode);
          AddrRange range = space.map(MapRequest.shared(file, Access.READ));
          for (long va = range.start(); va < range.end(); va += Pages.SIZE) {
            reader.getByte(va);
          }
          files.add(new MappedFile(path, inode, file, range, null));
          touched[0] += inode.size();
          progress.at(touched[0], imageBytes);
        });
  }

  private void readInPlace(AddressSpace space) throws IOException {
    ProgressListener progress = listener.begin("reading and hashing through the page tables");
    AddressReader reader = new AddressReader(space);
    long all = totalBytes();
    long done = 0;
    for (int i = 0; i < files.size(); i++) {
      MappedFile each = files.get(i);
      done = hash(reader, each.range.start(), each.file.size(), done, all, progress);
      files.set(i, each.withDigest(sha.digest()));
    }
  }

  /** Feeds the bytes at an address to the digest, and returns how many were read in all. */
  private long hash(
      AddressReader reader, long va, long bytes, long before, long all, ProgressListener progress)
      throws IOException {
    MemorySegment destination = MemorySegment.ofArray(buffer);
    long done = before;
    for (long at = 0; at < bytes; at += buffer.length) {
      int length = (int) Math.min(buffer.length, bytes - at);
      reader.copy(va + at, destination, 0, length);
      sha.update(buffer, 0, length);
      done += length;
      progress.at(done, all);
    }
    return done;
  }

  private void compare(DemoSource original) throws IOException {
    ProgressListener progress = listener.begin("reading and hashing the source");
    long all = totalBytes();
    long done = 0;
    for (MappedFile each : files) {
      original.digest(each.path, each.inode, sha);
      mismatches += MessageDigest.isEqual(sha.digest(), each.digest) ? 0 : 1;
      done += each.file.size();
      progress.at(done, all);
    }
  }

  /** Maps, reads and unmaps each file, so that its frames can be given up if RAM runs out. */
  private void readThroughPageCache(Machine machine, Mount mount) throws IOException {
    ProgressListener progress = listener.begin("the control: through the page cache");
    long all = totalBytes();
    long done = 0;
    Set<Long> inodes = new HashSet<>();
    try (AddressSpace space = machine.memoryManager().newAddressSpace("control")) {
      AddressReader reader = new AddressReader(space);
      for (MappedFile each : files) {
        CachedFile file = mount.openCached(each.path.exactText(), each.inode);
        AddrRange range = space.map(MapRequest.shared(file, Access.READ));
        done = hash(reader, range.start(), file.size(), done, all, progress);
        if (!MessageDigest.isEqual(sha.digest(), each.digest)) {
          throw new IOException(
              each.path + ": the page-cache control and the read in place differ");
        }
        keepSamePage(each, space, range);
        space.unmap(range);
      }
    }
    controlFrames = machine.pageCache().pagesAdded();
    controlPeakFrames = machine.pageCache().mostPages();
    // A file with several names has its pages in the cache once.
    long pages =
        files.stream()
            .filter(each -> inodes.add(each.inode.number()))
            .mapToLong(each -> Pages.covering(each.file.size()))
            .sum();
    if (controlFrames != pages) {
      wrong.add(
          "frames of the page-cache control: expected %d, found %d"
              .formatted(pages, controlFrames));
    }
    for (MappedFile each : files) {
      mount.openCached(each.path.exactText(), each.inode).evict();
    }
  }

  /** Keeps both entries of a page that is among the samples in place. */
  private void keepSamePage(MappedFile file, AddressSpace control, AddrRange range) {
    for (DemoReport.SampleEntry sample : samples) {
      if (samePage == null && sample.special() && file.range.contains(sample.va())) {
        long va = range.start() + sample.va() - file.range.start();
        samePage = new DemoReport.SamePage(sample, DemoSamples.entry(control, va));
      }
    }
  }

  private long totalBytes() {
    return files.stream().mapToLong(each -> each.file.size()).sum();
  }

  private List<DemoReport.SampleFile> largestFirst() {
    return files.stream()
        .sorted((a, b) -> Long.compare(b.file.size(), a.file.size()))
        .limit(DemoSamples.FILES)
        .map(
            each ->
                new DemoReport.SampleFile(
                    each.path.exactText(),
                    each.file.size(),
                    each.range,
                    DemoSamples.extents(each.file)))
        .toList();
  }

  /** A phase of the demo. */
  @FunctionalInterface
  private interface Phase {
    void run() throws IOException;
  }

  private static double timed(Phase phase) throws IOException {
    long from = System.nanoTime();
    phase.run();
    return seconds(from);
  }

  private static double seconds(long from) {
    return (System.nanoTime() - from) / 1e9;
  }
}
