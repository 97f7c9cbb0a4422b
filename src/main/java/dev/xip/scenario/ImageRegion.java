package dev.xip.scenario;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.file.InPlaceFile;
import dev.xip.host.HostFile;
import dev.xip.host.HostMapping;
import dev.xip.host.Sharing;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.mapping.DirectAccess;
import dev.xip.mapping.PageRun;
import dev.xip.mount.ImageFormats;
import dev.xip.mount.ImagePlace;
import dev.xip.mount.ImageSource;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.Region;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * An image mapped at a physical address, without a segment store. Nothing is copied, and the file
 * is only read.
 */
public final class ImageRegion implements DirectAccess {
  private static final long START = 4L << 30;

  private final Region region;
  private final FsImage image;
  private final List<String> warnings;

  private ImageRegion(Region region, FsImage image, List<String> warnings) {
    this.region = region;
    this.image = image;
    this.warnings = warnings;
  }

  /**
   * Returns the size of the window for an image.
   *
   * @param source where the image lies
   * @return the size in bytes
   * @throws IOException if the image is not found there
   */
  public static long windowFor(ImageSource source) throws IOException {
    AddrRange place = AddrRange.ofLength(START, bytes(source.find()));
    return Math.max(PhysicalMemory.DEFAULT_WINDOW_BYTES, place.end());
  }

  /** The length of the pages in which an image lies. */
  private static long bytes(ImagePlace place) {
    return Pages.roundUp(place.end() - place.firstPage());
  }

  /**
   * Maps an image.
   *
   * @param source where the image lies
   * @param memory physical memory with a window of {@link #windowFor} its size
   * @return the image in its place
   * @throws IOException if it cannot be mapped or is no image
   */
  public static ImageRegion map(ImageSource source, PhysicalMemory memory) throws IOException {
    try (HostFile file = HostFile.openReadOnlyOrDevice(source.file())) {
      ImagePlace place =
          source.find(
              file.size(), bytes -> HostMapping.map(file, 0, bytes, Access.READ, Sharing.SHARED));
      String name = source.file().getFileName().toString();
      Region region = memory.claim(name, AddrRange.ofLength(START, bytes(place)), true);
      memory.mapFile(region, 0, file, place.firstPage(), bytes(place), Access.READ, Sharing.SHARED);
      MemorySegment image = memory.window().asSlice(START + place.beforeIt(), place.length());
      FsImage opened = ImageFormats.open(source.name(), image.asReadOnly(), source.format());
      List<String> warnings = new ArrayList<>(place.warnings());
      warnings.addAll(opened.info().doubts());
      return new ImageRegion(region, opened, List.copyOf(warnings));
    }
  }

  /** {@return the image} */
  public FsImage image() {
    return image;
  }

  /** {@return what is unusual about the image but does not keep it from being read} */
  public List<String> warnings() {
    return warnings;
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
