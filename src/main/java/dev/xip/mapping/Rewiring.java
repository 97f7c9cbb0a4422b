package dev.xip.mapping;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Shows parts of a device's memory side by side: the same pages a second time, in another order.
 * What a file system asks of whoever mapped the device, to hand out a scattered file as one piece.
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

  /** Parts side by side, until it is closed or the device is. */
  interface View extends AutoCloseable {
    /**
     * Returns the parts as one piece.
     *
     * @return read-only memory of the size asked for
     */
    MemorySegment memory();

    /** Gives the addresses back; a second time does nothing. The memory cannot be used any more. */
    @Override
    void close();
  }

  /**
   * Makes a view.
   *
   * @param bytes its size, above 0, whole pages
   * @param runs the parts, in the order in which they appear; what none of them covers reads as
   *     zeros
   * @return the view, to be closed
   * @throws IOException if the system has no addresses left, or the budget of mappings no mappings
   *     (ENOMEM)
   */
  View rewire(long bytes, List<Run> runs) throws IOException;
}
