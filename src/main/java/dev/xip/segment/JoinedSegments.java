package dev.xip.segment;

import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import java.util.Comparator;
import java.util.List;

/**
 * Loaded segments that make one run of memory. Linux counterpart: {@code dcssblk_is_continuous}
 * (drivers/s390/block/dcssblk.c).
 *
 * @param byAddress the segments in order of address, each starting where the one before ends
 */
record JoinedSegments(List<SavedSegment> byAddress) {
  /**
   * Joins segments given in any order.
   *
   * @throws SegmentException EINVAL if they are not exactly adjacent or neighbours' types differ,
   *     other than EW, EN and EWEN among each other
   */
  static JoinedSegments of(List<SavedSegment> segments) throws SegmentException {
    List<SavedSegment> byAddress =
        segments.stream().sorted(Comparator.comparingLong(each -> each.range().start())).toList();
    for (int i = 1; i < byAddress.size(); i++) {
      requireNeighbours(byAddress.get(i - 1), byAddress.get(i));
    }
    return new JoinedSegments(byAddress);
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

  /** Demands an unchanged address: a segment may have been redefined elsewhere. EINVAL if so. */
  JoinedSegments requireAt(AddrRange expected) throws SegmentException {
    if (!range().equals(expected)) {
      throw new SegmentException(
          Errno.EINVAL,
          "segment " + byAddress.getFirst().name(),
          "segments at " + expected,
          range().toString());
    }
    return this;
  }

  /** The physical addresses from the lowest start to the highest end. */
  AddrRange range() {
    return new AddrRange(byAddress.getFirst().range().start(), byAddress.getLast().range().end());
  }
}
