package dev.xip.machine;

import dev.xip.file.PageCache;
import dev.xip.host.HostException;
import dev.xip.host.HostPaths;
import dev.xip.image.FsImage;
import dev.xip.mount.ImageFormats;
import dev.xip.phys.CountingModel;
import dev.xip.phys.FrameAllocator;
import dev.xip.phys.FrameUse;
import dev.xip.phys.MemoryModel;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.RamBanks;
import dev.xip.phys.RefcountListModel;
import dev.xip.segment.OpenSegmentDevice;
import dev.xip.segment.SavedSegment;
import dev.xip.segment.SegmentDevice;
import dev.xip.segment.SegmentDevices;
import dev.xip.segment.SegmentException;
import dev.xip.segment.SegmentLoader;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentStore;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.MemoryManager;
import dev.xip.vm.Verifier;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * One modelled machine: physical memory, the memory manager and the segments of one store. Closing
 * it unloads all segments and removes all mappings of the host.
 */
public final class Machine implements AutoCloseable {
  private final PhysicalMemory memory;
  private final MemoryManager memoryManager;
  private final PageCache pageCache;
  private final SegmentLoader loader;
  private final SegmentDevices devices;
  private final long framesAtBoot;

  /** Null if no questions are counted. */
  private final CountingModel counting;

  /** Guarded by this. */
  private boolean closed;

  private Machine(
      PhysicalMemory memory,
      MemoryManager memoryManager,
      SegmentLoader loader,
      CountingModel counting) {
    this.memory = memory;
    this.memoryManager = memoryManager;
    this.pageCache = new PageCache(memory);
    this.loader = loader;
    this.counting = counting;
    this.devices = new SegmentDevices(loader);
    this.framesAtBoot = memory.allocator().inUse();
  }

  /**
   * Boots a machine.
   *
   * @param config its sizes and its architecture
   * @param store the store of its segments
   * @return the machine
   * @throws HostException if the host does not give the address space
   * @throws IllegalArgumentException if the configuration contradicts itself (EINVAL), or RAM is
   *     too small (ENOMEM)
   */
  public static Machine boot(MachineConfig config, SegmentStore store) throws HostException {
    RamBanks banks = config.strategy().memMap(config.ram(), config.layout());
    PhysicalMemory memory = PhysicalMemory.boot(config.windowBytes(), banks, config.regionFrames());
    try {
      MemoryModel model = config.strategy().newModel(memory, config.layout()).orElse(null);
      CountingModel counting =
          config.countsQuestions() && model != null && !(model instanceof RefcountListModel)
              ? new CountingModel(model)
              : null;
      MemoryModel asked = counting == null ? model : counting;
      if (asked != null) {
        memory.attach(asked);
      }
      MemoryManager manager =
          new MemoryManager(memory, config.layout(), config.strategy().by(asked), config.rules());
      return new Machine(memory, manager, new SegmentLoader(store, memory), counting);
    } catch (RuntimeException e) {
      memory.close();
      throw e;
    }
  }

  /**
   * Boots a machine that loads no segments.
   *
   * @param config its sizes and its architecture
   * @return the machine
   * @throws HostException if the host does not give the address space
   * @throws IllegalArgumentException as {@link #boot(MachineConfig, SegmentStore)} does
   */
  public static Machine boot(MachineConfig config) throws HostException {
    return boot(config, null);
  }

  /**
   * {@return how often the memory model was asked whether a number has a page frame} 0 if the
   * strategy has no model, as special-bit, or one that cannot be counted, as mixedmap-refcount-pfn,
   * or if questions are not counted.
   */
  public long questions() {
    return counting == null ? 0 : counting.questions();
  }

  /** {@return the physical memory: the window with RAM and regions} */
  public PhysicalMemory memory() {
    return memory;
  }

  /** {@return the memory manager, which makes address spaces} */
  public MemoryManager memoryManager() {
    return memoryManager;
  }

  /** {@return the page cache, for files that are not used in place} */
  public PageCache pageCache() {
    return pageCache;
  }

  /** {@return the loader, which loads and unloads segments} */
  public SegmentLoader segments() {
    return loader;
  }

  /** {@return the list of block devices over segments} */
  public SegmentDevices devices() {
    return devices;
  }

  /** Chooses the options of a mount. */
  @FunctionalInterface
  private interface Options {
    ExtMountOptions of(ExtMountFacts facts) throws IOException;
  }

  /**
   * Mounts as {@link #mount(String, SegmentName...)} does, with the option {@code xip} unless the
   * blocks of the file system are smaller than a page.
   *
   * @param segments the names of one or several adjacent segments
   * @return the mounted file system
   * @throws IOException if it cannot be mounted
   */
  public Mount mount(SegmentName... segments) throws IOException {
    return mount(ExtMountOptions::usual, segments);
  }

  /**
   * Mounts the file system on the block device of adjacent segments. A missing device is added, and
   * removed with its last use.
   *
   * @param options the options, as {@link ExtMountOptions#parse} takes them
   * @param segments the names of one or several adjacent segments
   * @return the mounted file system
   * @throws IOException if a segment cannot be loaded, the device holds no image that xip reads, or
   *     the options do not fit it (EINVAL); nothing stays loaded then
   */
  public Mount mount(String options, SegmentName... segments) throws IOException {
    ExtMountOptions wanted = ExtMountOptions.parse(options);
    return mount(wanted::mount, segments);
  }

  private Mount mount(Options options, SegmentName... segments) throws IOException {
    OpenSegmentDevice use = devices.use(List.of(segments));
    try {
      SegmentDevice device = use.device();
      FsImage image = ImageFormats.open(imageName(device), device.memory());
      ExtMountFacts facts = new ExtMountFacts(device.diskName(), true, image.info().blockSize());
      return new Mount(use, image, facts, options.of(facts), pageCache);
    } catch (IOException | RuntimeException e) {
      use.close();
      throw e;
    }
  }

  /**
   * Changes the options of a mount. Its inodes are busy if an address space maps a file of it.
   *
   * @param mount a mount of this machine
   * @param options all options after the remount
   * @param rule whether the option {@code xip} may change while inodes are busy
   * @throws IOException if the options do not fit the file system (EINVAL); the old ones then stay
   */
  public void remount(Mount mount, String options, RemountRule rule) throws IOException {
    boolean busy =
        memoryManager.spaces().stream()
            .flatMap(space -> space.vmas().stream())
            .anyMatch(vma -> mount.owns(vma.file()));
    mount.remount(ExtMountOptions.parse(options), busy, rule);
  }

  /** {@return the image's name in errors: the data file, or the names of several segments} */
  private String imageName(SegmentDevice device) throws SegmentException {
    List<SavedSegment> parts = device.segments();
    return parts.size() == 1
        ? HostPaths.text(loader.store().query(parts.getFirst().name()).dataFile())
        : parts.stream().map(part -> part.name().toString()).collect(Collectors.joining(":"));
  }

  /**
   * {@return the number of frames in use without page tables and the kernel half of virtual
   * processors, which mapping, reading and executing from a segment must not change}
   */
  public long framesInUse() {
    FrameAllocator allocator = memory.allocator();
    return allocator.inUse() - allocator.inUse(FrameUse.TABLE) - allocator.inUse(FrameUse.KERNEL);
  }

  /**
   * Recomputes every count from the page tables and compares. Precondition: no other thread changes
   * an address space.
   *
   * @return the differences, one line each; empty if there are none
   */
  public List<String> verify() {
    List<String> wrong = new ArrayList<>(Verifier.verify(memoryManager));
    expect(wrong, "bad entries reported", 0, memoryManager.badEntries().count());
    if (memoryManager.spaces().isEmpty()) {
      expect(
          wrong,
          "frames in use without an address space",
          framesAtBoot + pageCache.pages(),
          framesInUse());
    }
    return wrong;
  }

  private static void expect(List<String> wrong, String what, long expected, long found) {
    if (expected != found) {
      wrong.add("%s: expected %d, found %d".formatted(what, expected, found));
    }
  }

  /**
   * Closes all address spaces, unloads all segments and releases the window; a second call does
   * nothing. Precondition: no page of the machine is pinned.
   *
   * @throws SegmentException for the first segment that could not be unloaded, as {@link
   *     SegmentLoader#unload} says; the others and the window are gone
   */
  @Override
  public synchronized void close() throws SegmentException {
    if (closed) {
      return;
    }
    closed = true;
    for (AddressSpace space : memoryManager.spaces()) {
      space.close();
    }
    SegmentException failed = null;
    try {
      for (SavedSegment segment : loader.loaded()) {
        try {
          for (int left = segment.references(); left > 0; left--) {
            loader.unload(segment.name());
          }
        } catch (SegmentException e) {
          if (failed == null) {
            failed = e;
          } else {
            failed.addSuppressed(e);
          }
        }
      }
    } finally {
      memory.close();
    }
    if (failed != null) {
      throw failed;
    }
  }
}
