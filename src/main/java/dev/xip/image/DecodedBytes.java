package dev.xip.image;

import dev.xip.mapping.ByteSink;
import java.io.IOException;
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
      DecodedExtent extent = at(position + done);
      long run = run(extent, position + done, count - done);
      MemorySegment.copy(source(extent), from(extent, position + done), destination, done, run);
      done += run;
    }
  }

  /**
   * Copies bytes to a sink. Precondition: all of them lie in the file.
   *
   * @return how many the sink took
   */
  long copy(long position, long count, ByteSink sink, long at) throws IOException {
    long done = 0;
    try {
      while (done < count) {
        DecodedExtent extent = at(position + done);
        long run = run(extent, position + done, count - done);
        long taken = sink.take(source(extent), from(extent, position + done), at + done, run);
        done += taken;
        if (taken < run) {
          break;
        }
      }
    } catch (IOException e) {
      if (done == 0) {
        throw e;
      }
    }
    return done;
  }

  private DecodedExtent at(long position) throws CorruptImageException {
    DecodedExtent extent = last;
    if (extent == null || !extent.holds(position)) {
      extent = decoder.decode(position);
      last = extent;
    }
    return extent;
  }

  private static long run(DecodedExtent extent, long position, long wanted) {
    long run = Math.min(extent.fileEnd() - position, wanted);
    return extent.bytes() == null ? Math.min(run, FileContent.ZEROS.byteSize()) : run;
  }

  private static MemorySegment source(DecodedExtent extent) {
    return extent.bytes() == null ? FileContent.ZEROS : extent.bytes();
  }

  private static long from(DecodedExtent extent, long position) {
    return extent.bytes() == null ? 0 : position - extent.fileOffset();
  }
}
