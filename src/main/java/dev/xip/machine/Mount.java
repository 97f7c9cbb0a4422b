package dev.xip.machine;

import dev.xip.file.CachedFile;
import dev.xip.file.InPlaceFile;
import dev.xip.file.PageCache;
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
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** A mounted file system whose image is in loaded segments. */
public final class Mount implements AutoCloseable {
  private final OpenSegmentDevice use;
  private final FsImage image;
  private final ImageViews views;
  private final ExtMountFacts facts;
  private final PageCache pageCache;

  /** The files that were opened through the page cache, by number of the inode. */
  private final Map<Long, CachedFile> cached = new ConcurrentHashMap<>();

  private volatile ExtMountOptions options;

  Mount(
      OpenSegmentDevice use,
      FsImage image,
      ExtMountFacts facts,
      ExtMountOptions options,
      PageCache pageCache) {
    this.use = use;
    this.image = image;
    this.views = new ImageViews(image, image.memory(), seams(use.device()));
    this.facts = facts;
    this.options = options;
    this.pageCache = pageCache;
  }

  /** {@return the offsets in the device at which its segments end} */
  private static long[] seams(SegmentDevice device) {
    return device.segments().stream()
        .mapToLong(each -> each.range().end() - device.range().start())
        .toArray();
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
   * Opens a file for mapping and reading through the page cache, whatever the options are.
   *
   * @param path its name in errors
   * @param inode a regular file of the image
   * @return the file, the same for each call; its pages leave the cache when this is closed
   * @throws FileSystemException if it is not a regular file, or its bytes are stored in another
   *     form
   * @throws IOException if its block map is damaged
   */
  public CachedFile openCached(String path, Inode inode) throws IOException {
    CachedFile open = cached.get(inode.number());
    if (open == null) {
      CachedFile made = pageCache.open(path, image, inode);
      CachedFile first = cached.putIfAbsent(inode.number(), made);
      open = first == null ? made : first;
    }
    return open;
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
    return file instanceof InPlaceFile mine && mine.device() == use
        || file instanceof CachedFile copy && cached.containsValue(copy);
  }

  synchronized void remount(ExtMountOptions wanted, boolean busy, RemountRule rule)
      throws FileSystemException {
    options = options.remount(wanted, facts, busy, rule);
  }

  /**
   * Closes the views of files, empties the page cache of them and releases the device.
   * Precondition: no address space maps its files.
   *
   * @throws SegmentException if unloading, or a save that waited for this, fails
   */
  @Override
  public void close() throws SegmentException {
    cached.values().forEach(CachedFile::evict);
    views.close();
    use.close();
  }
}
