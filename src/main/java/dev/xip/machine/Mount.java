package dev.xip.machine;

import dev.xip.file.InPlaceFile;
import dev.xip.file.WholeFile;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.mapping.Mappable;
import dev.xip.mount.ImageViews;
import dev.xip.segment.OpenSegmentDevice;
import dev.xip.segment.SegmentDevice;
import dev.xip.segment.SegmentException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.util.List;

/** A file system that is read inside loaded segments. */
public final class Mount implements AutoCloseable {
  private final OpenSegmentDevice use;
  private final FsImage image;
  private final ImageViews views;
  private final ExtMountFacts facts;
  private volatile ExtMountOptions options;

  Mount(OpenSegmentDevice use, FsImage image, ExtMountFacts facts, ExtMountOptions options) {
    this.use = use;
    this.image = image;
    this.views = new ImageViews(image, seams(use.device()));
    this.facts = facts;
    this.options = options;
  }

  /** Where a segment ends and the next begins, in bytes of the device. */
  private static List<Long> seams(SegmentDevice device) {
    return device.segments().stream()
        .map(each -> each.range().end() - device.range().start())
        .toList();
  }

  /**
   * Returns the block device that the segments make.
   *
   * @return the device
   */
  public SegmentDevice device() {
    return use.device();
  }

  /**
   * Returns the file system.
   *
   * @return what is read on the device
   */
  public FsImage image() {
    return image;
  }

  /**
   * Returns the options in force.
   *
   * @return the options, with all warnings since the mount
   */
  public ExtMountOptions options() {
    return options;
  }

  /**
   * Opens a file for mapping and reading in place.
   *
   * @param path what to call it
   * @param inode a regular file of the image
   * @return the file, which stays in place whatever a remount says later
   * @throws FileSystemException if it cannot be used in place: the mount has not the option {@code
   *     xip}, it is no regular file, or its bytes do not allow it
   * @throws IOException if its block map is damaged
   */
  public InPlaceFile open(String path, Inode inode) throws IOException {
    if (!options.inPlace(inode.type())) {
      throw new FileSystemException(
          path,
          null,
          "cannot be used in place: "
              + (options.xip() ? "no regular file" : "mounted without the option xip"));
    }
    return InPlaceFile.open(path, image, inode, use);
  }

  /**
   * Hands out a file as one piece of this process's memory. A file in several extents, or across
   * segments, is such a piece only if the segments are loaded shared.
   *
   * @param inode a regular file's inode
   * @return the file, to be closed, and closed with this mount at the latest
   * @throws FileSystemException if it is not a regular file, or its bytes do not stand in the image
   *     as they are read
   * @throws IOException if the image is damaged there
   */
  public WholeFile whole(Inode inode) throws IOException {
    return views.whole(inode);
  }

  /** Whether something mapped is a file of this mount; null is not. */
  boolean owns(Mappable file) {
    return file instanceof InPlaceFile mine && mine.device() == use;
  }

  synchronized void remount(ExtMountOptions wanted, boolean busy, RemountRule rule)
      throws FileSystemException {
    options = options.remount(wanted, facts, busy, rule);
  }

  /**
   * Ends the use of the device, and closes the views of files. Address spaces that map its files
   * must be closed before.
   *
   * @throws SegmentException what a save that waited for this, or unloading, failed with
   */
  @Override
  public void close() throws SegmentException {
    views.close();
    use.close();
  }
}
