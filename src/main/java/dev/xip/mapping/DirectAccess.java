package dev.xip.mapping;

import java.io.IOException;

/**
 * A block device whose bytes lie in physical memory. Linux counterpart: {@code
 * block_device_operations.direct_access} (include/linux/fs.h, 2.6.26).
 */
public interface DirectAccess {
  /**
   * Returns the device's size.
   *
   * @return the length in bytes, a multiple of the page size
   */
  long byteSize();

  /**
   * Says where bytes of the device lie. Memory behind the answer is contiguous.
   *
   * @param offset the byte offset on the device, page aligned
   * @param length the length in bytes that the caller would like, at least 1
   * @return the physical range, as long as it is contiguous, and at most {@code length} rounded up
   *     to pages
   * @throws IOException if the offset is not page aligned (EINVAL), the range is not wholly on the
   *     device (ERANGE) or the device is gone (ENODEV)
   */
  PageRun directAccess(long offset, long length) throws IOException;
}
