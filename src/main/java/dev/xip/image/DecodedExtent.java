package dev.xip.image;

import java.lang.foreign.MemorySegment;

/**
 * A run of a file's bytes in the form in which the file is read.
 *
 * @param fileOffset where the run starts in the file, in bytes
 * @param length its length in bytes, at least 1; not past the end of the file
 * @param bytes the bytes, as many as its length, or null for a hole, which reads as zeros
 */
public record DecodedExtent(long fileOffset, long length, MemorySegment bytes) {
  /** {@return whether a byte of the file lies in the run} */
  boolean holds(long offset) {
    return offset >= fileOffset && offset - fileOffset < length;
  }

  /** {@return the file offset of the byte behind the run} */
  public long fileEnd() {
    return fileOffset + length;
  }
}
