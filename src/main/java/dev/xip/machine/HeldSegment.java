package dev.xip.machine;

import dev.xip.phys.PhysicalMemory;
import dev.xip.segment.SavedSegment;
import dev.xip.segment.SegmentException;
import dev.xip.segment.SegmentLoader;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.SharingMode;
import java.io.IOException;

/** One segment, loaded into a physical memory of its own until it is closed. */
public final class HeldSegment implements AutoCloseable {
  private final PhysicalMemory memory;
  private final SegmentLoader loader;
  private final SavedSegment segment;

  private HeldSegment(PhysicalMemory memory, SegmentLoader loader, SavedSegment segment) {
    this.memory = memory;
    this.loader = loader;
    this.segment = segment;
  }

  /**
   * Loads a segment. The window is made large enough for it.
   *
   * @param store where it is
   * @param name its name
   * @param mode shared or exclusive
   * @return the segment, to be closed
   * @throws SegmentException if it cannot be loaded
   * @throws IOException if the host does not give the address space
   */
  public static HeldSegment load(SegmentStore store, SegmentName name, SharingMode mode)
      throws IOException {
    long end = store.query(name).definition().range().end();
    PhysicalMemory memory =
        PhysicalMemory.boot(
            Math.max(end, PhysicalMemory.DEFAULT_WINDOW_BYTES), PhysicalMemory.DEFAULT_RAM_BYTES);
    try {
      SegmentLoader loader = new SegmentLoader(store, memory);
      return new HeldSegment(memory, loader, loader.load(name, mode));
    } catch (IOException | RuntimeException e) {
      memory.close();
      throw e;
    }
  }

  /**
   * Returns the segment.
   *
   * @return what is loaded, with its physical range
   */
  public SavedSegment segment() {
    return segment;
  }

  /**
   * Returns where it lies in this process.
   *
   * @return the address of its first byte
   */
  public long address() {
    return memory.window().address() + segment.range().start();
  }

  /** Unloads the segment and gives the memory back. */
  @Override
  public void close() throws SegmentException {
    try {
      loader.unload(segment.name());
    } finally {
      memory.close();
    }
  }
}
