package dev.xip.mapping;

import java.io.IOException;

/**
 * A block device whose bytes lie in physical memory. Linux counterpart: {@code
 * block_device_operations.direct_access} (include/linux/fs.h, 2.6.26).
 */
public interface DirectAccess {
  /** {@return the device's size in bytes, a multiple of the page size} */
  long byteSize();

  /**
   * Translates an offset on the device to physical pages.
   *
   * @param offset the byte offset on the device, page aligned
   * @param length how many bytes the caller wants, at least 1
   * @return the contiguous pages from there on, at most {@code length} rounded up to pages
   * @throws IOException if the offset is not page aligned (EINVAL), the range is not wholly on the
   *     device (ERANGE) or the device is gone (ENODEV)
   */
  PageRun directAccess(long offset, long length) throws IOException;
}
