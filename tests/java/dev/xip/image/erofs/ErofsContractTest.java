package dev.xip.image.erofs;

import dev.xip.image.FsImageContract;
import dev.xip.testing.Images;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Nested;

/** EROFS in the forms that mkfs.erofs makes keeps what every reader of a format promises. */
class ErofsContractTest {
  /** One form of EROFS. */
  abstract static class Erofs extends FsImageContract {
    private final String[] options;

    Erofs(String... options) {
      super(new ErofsFormat());
      this.options = options;
    }

    @Override
    protected void pack(Path folder, Path file) throws IOException {
      Images.erofs(folder, file, options);
    }

    /** One byte more is too much for mkfs.erofs 1.5. */
    @Override
    protected int longestName() {
      return 254;
    }

    @Override
    protected Set<String> added() {
      return Set.of();
    }
  }

  @Nested
  class Usual extends Erofs {}

  @Nested
  class InPlace extends Erofs {
    InPlace() {
      super("-Enoinline_data");
    }
  }

  @Nested
  class ExtendedInodes extends Erofs {
    ExtendedInodes() {
      super("-Eforce-inode-extended");
    }
  }

  @Nested
  class Chunks extends Erofs {
    Chunks() {
      super("--chunksize=4096");
    }

    @Override
    protected boolean sharesBlocks() {
      return true;
    }
  }

  @Nested
  class ChunkIndexes extends Erofs {
    ChunkIndexes() {
      super("--chunksize=65536", "-Eforce-chunk-indexes");
    }

    @Override
    protected boolean sharesBlocks() {
      return true;
    }
  }

  @Nested
  class Lz4 extends Erofs {
    Lz4() {
      super("-zlz4");
    }
  }

  @Nested
  class OldLz4 extends Erofs {
    OldLz4() {
      super("-zlz4", "-Elegacy-compress");
    }
  }

  @Nested
  class Lz4InLargeClusters extends Erofs {
    Lz4InLargeClusters() {
      super("-zlz4hc,12", "-C65536");
    }
  }

  @Nested
  class Lz4WithPackedTails extends Erofs {
    Lz4WithPackedTails() {
      super("-zlz4hc", "-C16384", "-Eztailpacking");
    }
  }
}
