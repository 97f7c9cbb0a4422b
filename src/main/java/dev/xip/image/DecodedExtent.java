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

  /** {@return what the bytes are copied from: zeros for a hole} */
  MemorySegment source() {
    return bytes == null ? FileContent.ZEROS : bytes;
  }

  /** {@return where a byte of the file lies in {@link #source}} */
  long sourceOffset(long offset) {
    return bytes == null ? 0 : offset - fileOffset;
  }

  /** {@return how many bytes from one on lie together in {@link #source}, at least 1} */
  long run(long offset) {
    long run = fileEnd() - offset;
    return bytes == null ? Math.min(run, FileContent.ZEROS.byteSize()) : run;
  }
}
