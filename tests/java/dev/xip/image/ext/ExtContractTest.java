package dev.xip.image.ext;

import dev.xip.image.FsImageContract;
import dev.xip.testing.Images;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;

/** Ext2 in the forms that mke2fs makes keeps what every reader of a format promises. */
class ExtContractTest {
  /** One form of ext2 with 4 KiB blocks. */
  abstract static class Ext2 extends FsImageContract {
    private final String[] options;

    Ext2(String... options) {
      super(new ExtFormat());
      this.options =
          Stream.concat(Stream.of("-b", "4096"), Stream.of(options)).toArray(String[]::new);
    }

    @Override
    protected void pack(Path folder, Path file) throws IOException {
      Images.ext2(folder, file, options);
    }

    @Override
    protected Set<String> added() {
      return Set.of("lost+found");
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
}
