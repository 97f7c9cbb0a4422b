package dev.xip.phys;

import dev.xip.base.Pages;
import dev.xip.segment.SegmentLoader;

/**
 * A pfn_valid like that of 15 January 2008: it asks the list that a layer above keeps. No machine
 * uses it; the layer rules have to refuse it.
 */
final class UpwardCall {
  private final SegmentLoader segments;

  UpwardCall(SegmentLoader segments) {
    this.segments = segments;
  }

  boolean pfnValid(long pfn) {
    return segments.loaded().stream()
        .noneMatch(segment -> segment.range().contains(pfn << Pages.SHIFT));
  }
}
