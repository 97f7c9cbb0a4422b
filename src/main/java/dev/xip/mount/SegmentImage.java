package dev.xip.mount;

import dev.xip.phys.PhysicalMemory;
import dev.xip.segment.OpenSegmentDevice;
import dev.xip.segment.SavedSegment;
import dev.xip.segment.SegmentDevices;
import dev.xip.segment.SegmentException;
import dev.xip.segment.SegmentLoader;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentStore;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * An image in adjacent segments, which are loaded shared into a physical memory of their own and
 * read as one block device.
 */
final class SegmentImage implements Closeable {
  private final PhysicalMemory memory;
  private final OpenSegmentDevice use;
  private boolean closed;

  private SegmentImage(PhysicalMemory memory, OpenSegmentDevice use) {
    this.memory = memory;
    this.use = use;
  }

  /** Loads the segments, in any order; the window is made large enough for them. */
  static SegmentImage load(SegmentStore store, List<SegmentName> names) throws IOException {
    long end = PhysicalMemory.DEFAULT_WINDOW_BYTES;
    for (SegmentName each : names) {
      end = Math.max(end, store.query(each).definition().range().end());
    }
    PhysicalMemory memory = PhysicalMemory.boot(end, PhysicalMemory.DEFAULT_RAM_BYTES);
    try {
      SegmentDevices devices = new SegmentDevices(new SegmentLoader(store, memory));
      return new SegmentImage(memory, devices.use(names));
    } catch (IOException | RuntimeException e) {
      memory.close();
      throw e;
    }
  }

  /** All bytes, read-only. */
  MemorySegment bytes() throws SegmentException {
    return use.device().memory();
  }

  /** Opens the data files of the versions that are loaded; the caller closes the channels. */
  List<ImagePiece> pieces() throws IOException {
    List<ImagePiece> pieces = new ArrayList<>();
    long start = use.device().range().start();
    try {
      for (SavedSegment each : use.device().segments()) {
        pieces.add(
            ImagePiece.of(
                each.range().start() - start,
                each.range().length(),
                0,
                each.dataFile(),
                ImageSource.of(each.dataFile()).openKnown()));
      }
      return pieces;
    } catch (IOException e) {
      for (ImagePiece each : pieces) {
        each.channel().close();
      }
      throw e;
    }
  }

  @Override
  public void close() throws IOException {
    if (!closed) {
      closed = true;
      try {
        use.close();
      } finally {
        memory.close();
      }
    }
  }
}
