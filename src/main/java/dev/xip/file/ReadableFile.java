package dev.xip.file;

import dev.xip.mapping.Mappable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** A file that can be mapped and read, such as a program. */
public interface ReadableFile extends Mappable {
  /**
   * Reads bytes; holes read as zeros.
   *
   * @param position the first byte to read, at least 0
   * @param destination where the bytes go; it is filled unless the file ends first
   * @return how many bytes were copied, 0 at or past the end of the file
   * @throws IOException if they cannot be read
   * @throws IllegalArgumentException if the position is negative
   */
  long read(long position, MemorySegment destination) throws IOException;
}
