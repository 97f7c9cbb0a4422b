package dev.xip.elf;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** The bytes of an ELF file, in however many pieces they lie. */
@FunctionalInterface
public interface ElfBytes {
  /**
   * Copies bytes of the file.
   *
   * @param position the first byte; precondition: all bytes asked for lie inside the file
   * @param destination where they go; it is filled
   * @throws IOException if the file cannot be read
   */
  void read(long position, MemorySegment destination) throws IOException;
}
