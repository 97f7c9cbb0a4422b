package dev.xip.image;

import java.lang.foreign.MemorySegment;

/**
 * Reads the bytes of a file that must be decoded. It keeps the extent that was decoded last, so
 * that reading a file in small pieces from first to last decodes each extent once. Safe for any
 * number of threads.
 */
final class DecodedBytes {
  private final ExtentDecoder decoder;

  /** Null before the first. Threads that read different extents replace each other's. */
  private volatile DecodedExtent last;

  DecodedBytes(ExtentDecoder decoder) {
    this.decoder = decoder;
  }

  /**
   * Copies bytes. Precondition: all of them lie in the file.
   *
   * @param position the first of them
   * @param destination where they go, from its start
   * @param count how many
   */
  void copy(long position, MemorySegment destination, long count) throws CorruptImageException {
    for (long done = 0; done < count; ) {
      long here = position + done;
      DecodedExtent extent = at(here);
      long run = Math.min(extent.run(here), count - done);
      MemorySegment.copy(extent.source(), extent.sourceOffset(here), destination, done, run);
      done += run;
    }
  }

  /** {@return the extent that holds a byte of the file} */
  DecodedExtent at(long position) throws CorruptImageException {
    DecodedExtent extent = last;
    if (extent == null || !extent.holds(position)) {
      extent = decoder.decode(position);
      last = extent;
    }
    return extent;
  }
}
