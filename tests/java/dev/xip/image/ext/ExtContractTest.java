package dev.xip.image.ext;

import dev.xip.image.FsImageContract;
import dev.xip.testing.Images;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;

/** The ext formats in the forms that mke2fs makes keep what every reader of a format promises. */
class ExtContractTest {
  /** One form of ext2, ext3 or ext4. */
  abstract static class Ext extends FsImageContract {
    private final String type;
    private final String[] options;

    Ext(String type, String... options) {
      super(new ExtFormat());
      this.type = type;
      this.options = options;
    }

    @Override
    protected void pack(Path folder, Path file) throws IOException {
      Images.ext(type, folder, file, options);
    }

    @Override
    protected Set<String> added() {
      return Set.of("lost+found");
    }
  }

  /** One form of ext2 with 4 KiB blocks. */
  abstract static class Ext2 extends Ext {
    Ext2(String... options) {
      super(
          "ext2",
          Stream.concat(Stream.of("-b", "4096"), Stream.of(options)).toArray(String[]::new));
    }
  }

  @Nested
  class Usual extends Ext2 {}

  @Nested
  class SmallInodes extends Ext2 {
    SmallInodes() {
      super("-I", "128");
    }
  }

  @Nested
  class LargeInodesInManyGroups extends Ext2 {
    LargeInodesInManyGroups() {
      super("-I", "1024", "-g", "512");
    }
  }

  @Nested
  class WithoutFileTypes extends Ext2 {
    WithoutFileTypes() {
      super("-O", "^filetype,^sparse_super,^resize_inode");
    }
  }

  @Nested
  class BlocksOf1Kibibyte extends Ext {
    BlocksOf1Kibibyte() {
      super("ext2", "-b", "1024");
    }
  }

  @Nested
  class Ext3BlocksOf2Kibibytes extends Ext {
    Ext3BlocksOf2Kibibytes() {
      super("ext3", "-b", "2048");
    }
  }

  @Nested
  class Ext4 extends Ext {
    Ext4() {
      super("ext4", "-b", "4096");
    }
  }

  @Nested
  class Ext4BlocksOf1Kibibyte extends Ext {
    Ext4BlocksOf1Kibibyte() {
      super("ext4", "-b", "1024");
    }
  }

  @Nested
  class Ext4BlocksOf64Kibibytes extends Ext {
    Ext4BlocksOf64Kibibytes() {
      super("ext4", "-b", "65536", "-O", "^has_journal");
    }
  }

  @Nested
  class Ext4Clusters extends Ext {
    Ext4Clusters() {
      super("ext4", "-b", "4096", "-C", "16384", "-O", "bigalloc,^has_journal");
    }
  }
}
