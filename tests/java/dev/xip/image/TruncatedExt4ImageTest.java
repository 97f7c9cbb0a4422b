package dev.xip.image;

import dev.xip.testing.Images;
import java.io.IOException;
import java.nio.file.Path;

/** What holds for ext2 holds where trees of extents and checksums are lost. */
class TruncatedExt4ImageTest extends TruncatedImageTest {
  @Override
  Path pack(Path tree) throws IOException {
    return Images.ext("ext4", tree, tree.resolveSibling("ext4.img"), "-b", "4096");
  }
}
