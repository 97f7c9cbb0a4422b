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

/** A mounted file system whose image is in loaded segments. */
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

  /** {@return the offsets in the device at which its segments end} */
  private static List<Long> seams(SegmentDevice device) {
    return device.segments().stream()
        .map(each -> each.range().end() - device.range().start())
        .toList();
  }

  /** {@return the block device over the segments} */
  public SegmentDevice device() {
    return use.device();
  }

  /** {@return the file system on the device} */
  public FsImage image() {
    return image;
  }

  /** {@return the options in force, with all warnings since the mount} */
  public ExtMountOptions options() {
    return options;
  }

  /**
   * Opens a file for mapping and reading in place.
   *
   * @param path its name in errors
   * @param inode a regular file of the image
   * @return the file, which later remounts do not change
   * @throws FileSystemException if it cannot be used in place: the mount lacks the option {@code
   *     xip}, it is not a regular file, or its block map does not allow it
   * @throws IOException if its block map is damaged
   */
  public InPlaceFile open(String path, Inode inode) throws IOException {
    if (!options.inPlace(inode.type())) {
      throw new FileSystemException(
          path,
          null,
          "cannot be used in place: "
              + (options.xip() ? "not a regular file" : "mounted without the option xip"));
    }
    return InPlaceFile.open(path, image, inode, use);
  }

  /**
   * Maps a file contiguously in this process's memory. For a file in several extents, or across
   * segments, the segments must be loaded shared.
   *
   * @param inode a regular file's inode
   * @return the file, closed with this mount at the latest
   * @throws FileSystemException if it is not a regular file, or its bytes are not in the image as
   *     they are read
   * @throws IOException if the image is damaged there
   */
  public WholeFile whole(Inode inode) throws IOException {
    return views.whole(inode);
  }

  /** {@return whether a mapped file belongs to this mount; false for null} */
  boolean owns(Mappable file) {
    return file instanceof InPlaceFile mine && mine.device() == use;
  }

  synchronized void remount(ExtMountOptions wanted, boolean busy, RemountRule rule)
      throws FileSystemException {
    options = options.remount(wanted, facts, busy, rule);
  }

  /**
   * Closes the views of files and releases the device. Precondition: no address space maps its
   * files.
   *
   * @throws SegmentException if unloading, or a save that waited for this, fails
   */
  @Override
  public void close() throws SegmentException {
    views.close();
    use.close();
  }
}
