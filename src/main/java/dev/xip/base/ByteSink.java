package dev.xip.base;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * Where bytes of a file are copied to, such as the memory of a program. Linux counterpart: {@code
 * copy_to_iter}.
 */
@FunctionalInterface
public interface ByteSink {
  /**
   * Copies bytes. It may fault pages in, so the caller holds no page lock.
   *
   * @param from where they lie
   * @param offset the offset of the first there
   * @param at the address in the sink that the first goes to
   * @param length how many, at least 1
   * @return how many were copied, at least 1: fewer if the address after them cannot be stored to
   * @throws IOException if none can be copied
   */
  long take(MemorySegment from, long offset, long at, long length) throws IOException;
}
