package dev.xip.scenario;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.file.InPlaceFile;
import dev.xip.host.HostFile;
import dev.xip.host.HostPaths;
import dev.xip.host.Sharing;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.mapping.DirectAccess;
import dev.xip.mapping.PageRun;
import dev.xip.mount.ImageFormats;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.Region;
import java.io.IOException;
import java.nio.file.Path;

/**
 * An image file mapped at a physical address, without a segment store. Nothing is copied, and the
 * file is only read.
 */
public final class ImageRegion implements DirectAccess {
  private static final long START = 4L << 30;

  private final Region region;
  private final FsImage image;

  private ImageRegion(Region region, FsImage image) {
    this.region = region;
    this.image = image;
  }

  /**
   * {@return the size of the window for an image of a given size}
   *
   * @param imageBytes the size of the image
   */
  public static long windowFor(long imageBytes) {
    AddrRange place = AddrRange.ofLength(START, Pages.roundUp(imageBytes));
    return Math.max(PhysicalMemory.DEFAULT_WINDOW_BYTES, place.end());
  }

  /**
   * Maps an image.
   *
   * @param path the image file
   * @param memory physical memory with a window of {@link #windowFor} its size
   * @return the image in its place
   * @throws IOException if it cannot be mapped or is no image
   */
  public static ImageRegion map(Path path, PhysicalMemory memory) throws IOException {
    try (HostFile file = HostFile.openReadOnly(path)) {
      long bytes = Pages.roundUp(file.size());
      Region region =
          memory.claim(path.getFileName().toString(), AddrRange.ofLength(START, bytes), true);
      memory.mapFile(region, 0, file, 0, bytes, Access.READ, Sharing.SHARED);
      return new ImageRegion(
          region,
          ImageFormats.open(
              HostPaths.text(path), memory.window().asSlice(START, file.size()).asReadOnly()));
    }
  }

  /** {@return the image} */
  public FsImage image() {
    return image;
  }

  /**
   * Opens a regular file in place.
   *
   * @param name its name in messages
   * @param inode its inode
   * @return the file
   * @throws IOException if it does not lie in place, or the image is damaged there
   */
  public InPlaceFile open(String name, Inode inode) throws IOException {
    return InPlaceFile.open(name, image, inode, this);
  }

  @Override
  public long byteSize() {
    return region.range().length();
  }

  @Override
  public PageRun directAccess(long offset, long length) throws IOException {
    if (!Pages.isAligned(offset) || offset < 0 || length < 1 || offset > byteSize() - length) {
      throw new IOException(
          Errno.ERANGE.message(
              "%s: expected a page-aligned range inside 0x%x bytes, found 0x%x bytes at 0x%x",
              region.name(), byteSize(), length, offset));
    }
    return new PageRun(
        region.range().start() + offset >>> Pages.SHIFT,
        Math.min(Pages.covering(length), byteSize() - offset >>> Pages.SHIFT));
  }
}
