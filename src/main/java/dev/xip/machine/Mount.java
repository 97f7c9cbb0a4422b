package dev.xip.machine;

import dev.xip.file.InPlaceFile;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.segment.SegmentDevice;
import dev.xip.segment.SegmentException;
import java.io.IOException;

/**
 * A file system that is read inside loaded segments.
 *
 * @param device the block device that the segments make
 * @param image the file system on it
 */
public record Mount(SegmentDevice device, FsImage image) implements AutoCloseable {
  /**
   * Opens a file for mapping and reading in place.
   *
   * @param path what to call it
   * @param inode a regular file of the image
   * @return the file
   * @throws IOException if it cannot be used in place, or its block map is damaged
   */
  public InPlaceFile open(String path, Inode inode) throws IOException {
    return InPlaceFile.open(path, image, inode, device);
  }

  /** Unloads the segments. Address spaces that map its files must be closed before. */
  @Override
  public void close() throws SegmentException {
    device.close();
  }
}
