package dev.xip.image.erofs;

import dev.xip.image.FsImage;
import dev.xip.image.ImageFormat;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Set;

/** EROFS, as container tools and mkfs.erofs make it. */
public final class ErofsFormat implements ImageFormat {
  private static final Magic MAGIC =
      new Magic(
          ErofsLayout.SUPERBLOCK_OFFSET + ErofsLayout.S_MAGIC, Integer.BYTES, ErofsLayout.MAGIC);

  /** Makes the format. */
  public ErofsFormat() {}

  @Override
  public String name() {
    return "erofs";
  }

  @Override
  public Magic magic() {
    return MAGIC;
  }

  @Override
  public Set<String> mountOptions() {
    return Set.of();
  }

  @Override
  public FsImage open(String name, MemorySegment memory) throws IOException {
    return ErofsImage.open(name, memory);
  }
}
