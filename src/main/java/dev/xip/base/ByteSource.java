package dev.xip.base;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * Where bytes for a file are copied from, such as the memory of a program. Linux counterpart:
 * {@code copy_from_iter}.
 */
@FunctionalInterface
public interface ByteSource {
  /**
   * Copies bytes. It may fault pages in, so the caller holds no page lock.
   *
   * @param at the address in the source of the first
   * @param to where they go
   * @param offset the offset of the first there
   * @param length how many, at least 1
   * @return how many were copied, at least 1: fewer if the address after them cannot be read
   * @throws IOException if none can be copied
   */
  long give(long at, MemorySegment to, long offset, long length) throws IOException;
}
