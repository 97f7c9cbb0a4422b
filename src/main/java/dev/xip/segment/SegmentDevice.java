package dev.xip.segment;

import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.host.Errno;
import dev.xip.mapping.DirectAccess;
import dev.xip.mapping.DirectRange;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A block device over one segment or several adjacent ones, loaded shared. Its bytes are one run of
 * physical memory, from the lowest segment's start to the highest one's end. It holds one reference
 * to each segment until it is closed. Linux counterpart: drivers/s390/block/dcssblk.c.
 */
public final class SegmentDevice implements DirectAccess, AutoCloseable {
  private final SegmentLoader loader;
  private final List<SavedSegment> segments;
  private final AddrRange range;
  private final SegmentName name;
  private final boolean readOnly;
  private volatile boolean closed;

  private SegmentDevice(SegmentLoader loader, SavedSegment first, List<SavedSegment> byAddress) {
    this.loader = loader;
    this.segments = List.copyOf(byAddress);
    this.range =
        new AddrRange(byAddress.getFirst().range().start(), byAddress.getLast().range().end());
    this.name = first.name();
    this.readOnly = !first.isWritable();
  }

  /**
   * Reads a list of names in the form that {@code dcssblk} takes.
   *
   * @param text names with a colon between any two, such as {@code A:B:C}
   * @return the names in the order given
   * @throws SegmentException if a name is empty or too long, also because a colon is doubled or
   *     trailing (ENAMETOOLONG), or holds a character that no name has (EINVAL)
   */
  public static List<SegmentName> parseNames(String text) throws SegmentException {
    List<SegmentName> names = new ArrayList<>();
    for (String each : text.split(":", -1)) {
      names.add(SegmentName.of(each));
    }
    return List.copyOf(names);
  }

  /**
   * Loads segments and makes a device of them. Linux counterpart: {@code dcssblk_add_store}.
   *
   * @param loader where they are loaded
   * @param names the segments, at least one, in any order; the first gives the device its name, and
   *     its type says whether the device is read-only
   * @return the device, to be closed
   * @throws SegmentException what a load failed with; EINVAL if the segments are not exactly
   *     adjacent or neighbours' types differ, other than EW, EN and EWEN among each other. Nothing
   *     stays loaded then
   */
  public static SegmentDevice open(SegmentLoader loader, List<SegmentName> names)
      throws SegmentException {
    if (names.isEmpty()) {
      throw new SegmentException(Errno.ENAMETOOLONG, "segment device", "a segment name", "none");
    }
    List<SavedSegment> held = new ArrayList<>(names.size());
    try {
      for (SegmentName each : names) {
        held.add(loader.load(each, SharingMode.SHARED));
      }
      List<SavedSegment> byAddress = new ArrayList<>(held);
      byAddress.sort(Comparator.comparingLong(each -> each.range().start()));
      for (int i = 1; i < byAddress.size(); i++) {
        requireNeighbours(byAddress.get(i - 1), byAddress.get(i));
      }
      return new SegmentDevice(loader, held.getFirst(), byAddress);
    } catch (SegmentException e) {
      for (SavedSegment each : held) {
        try {
          loader.unload(each.name());
        } catch (SegmentException alsoFailed) {
          e.addSuppressed(alsoFailed);
        }
      }
      throw e;
    }
  }

  private static void requireNeighbours(SavedSegment low, SavedSegment high)
      throws SegmentException {
    String subject = "segment device: segment " + high.name();
    if (low.range().end() != high.range().start()) {
      throw new SegmentException(
          Errno.EINVAL,
          subject,
          "it to start at 0x%x, where %s ends".formatted(low.range().end(), low.name()),
          "0x%x".formatted(high.range().start()));
    }
    boolean fit =
        low.type() == high.type() || low.type().isCombinable() && high.type().isCombinable();
    if (!fit) {
      throw new SegmentException(
          Errno.EINVAL,
          subject,
          "a type that goes with %s of %s".formatted(low.type(), low.name()),
          high.type().toString());
    }
  }

  /**
   * Returns the device's name.
   *
   * @return the name of the segment listed first
   */
  public SegmentName name() {
    return name;
  }

  /**
   * Returns the segments.
   *
   * @return the loaded segments in order of address
   */
  public List<SavedSegment> segments() {
    return segments;
  }

  /**
   * Returns where the device lies.
   *
   * @return the physical addresses, half-open
   */
  public AddrRange range() {
    return range;
  }

  /**
   * Tells whether the device refuses stores.
   *
   * @return true if the segment listed first is SR, ER or SC
   */
  public boolean isReadOnly() {
    return readOnly;
  }

  /**
   * Returns the device's bytes, for a reader of the image in them.
   *
   * @return read-only memory of {@link #byteSize} bytes in the window; zeros once the segments are
   *     unloaded
   * @throws SegmentException if the device is closed (ENODEV)
   */
  public MemorySegment memory() throws SegmentException {
    requireOpen();
    return loader.memory().window().asSlice(range.start(), range.length()).asReadOnly();
  }

  @Override
  public long byteSize() {
    return range.length();
  }

  /**
   * {@inheritDoc} Linux counterpart: {@code dcssblk_direct_access}.
   *
   * @throws SegmentException if the offset is not page aligned (EINVAL), the range is empty or not
   *     wholly on the device (ERANGE), or the device is closed (ENODEV)
   */
  @Override
  public DirectRange directAccess(long offset, long length) throws SegmentException {
    requireOpen();
    if (!Pages.isAligned(offset)) {
      throw refused(Errno.EINVAL, offset, length, "a page-aligned offset");
    }
    if (offset < 0 || length < 1 || offset > byteSize() - length) {
      throw refused(
          Errno.ERANGE, offset, length, "a range inside 0x%x bytes".formatted(byteSize()));
    }
    return new DirectRange(range.start() + offset >>> Pages.SHIFT, Pages.covering(length));
  }

  private SegmentException refused(Errno code, long offset, long length, String expected) {
    return new SegmentException(
        code,
        "segment device " + name,
        expected,
        "offset 0x%x, length 0x%x".formatted(offset, length));
  }

  private void requireOpen() throws SegmentException {
    if (closed) {
      throw new SegmentException(
          Errno.ENODEV, "segment device " + name, "an open device", "a closed one");
    }
  }

  /**
   * Drops the references to the segments; a second time does nothing. Linux counterpart: {@code
   * dcssblk_remove_store}.
   *
   * @throws SegmentException what an unload failed with; the others are unloaded all the same
   */
  @Override
  public synchronized void close() throws SegmentException {
    if (closed) {
      return;
    }
    closed = true;
    SegmentException failure = null;
    for (SavedSegment each : segments) {
      try {
        loader.unload(each.name());
      } catch (SegmentException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
