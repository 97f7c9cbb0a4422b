package dev.xip.file;

import dev.xip.base.ByteSink;
import dev.xip.base.ByteSource;
import java.lang.foreign.MemorySegment;

/** Sinks and sources that are memory of the caller; an address is an offset in it. */
public final class SegmentCopy {
  private SegmentCopy() {}

  /**
   * {@return a sink}
   *
   * @param memory what is copied to
   */
  public static ByteSink into(MemorySegment memory) {
    return (from, offset, at, length) -> {
      MemorySegment.copy(from, offset, memory, at, length);
      return length;
    };
  }

  /**
   * {@return a source}
   *
   * @param memory what is copied from
   */
  public static ByteSource from(MemorySegment memory) {
    return (at, to, offset, length) -> {
      MemorySegment.copy(memory, at, to, offset, length);
      return length;
    };
  }
}
