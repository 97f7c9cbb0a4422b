package dev.xip.mapping;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Maps parts of a device's memory a second time, side by side, so that a fragmented file becomes
 * contiguous memory. Implemented by the owner of the device's mapping, for the readers of files.
 */
public interface Rewiring {
  /**
   * One part.
   *
   * @param at where it is to appear, in bytes, page aligned
   * @param from where it lies on the device, in bytes, page aligned
   * @param length its length in bytes, whole pages, at least one
   */
  record Run(long at, long from, long length) {}

  /** Contiguous memory, until it or the device is closed. */
  interface View extends AutoCloseable {
    /** {@return the read-only memory of the view, of the size asked for} */
    MemorySegment memory();

    /** Unmaps the memory, which cannot be used any more; a second time does nothing. */
    @Override
    void close();
  }

  /**
   * Makes a view.
   *
   * @param bytes its size, above 0, whole pages
   * @param runs the parts, in the order in which they appear; bytes that none of them covers read
   *     as zeros
   * @return the view, to be closed
   * @throws IOException if the process has no addresses or the budget of mappings no mappings left
   *     (ENOMEM)
   */
  View rewire(long bytes, List<Run> runs) throws IOException;
}
