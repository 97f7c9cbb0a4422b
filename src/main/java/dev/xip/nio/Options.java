package dev.xip.nio;

import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.ReadOnlyFileSystemException;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;

/** What callers ask for with options. */
final class Options {
  private static final Set<StandardOpenOption> WRITING =
      EnumSet.of(
          StandardOpenOption.WRITE, StandardOpenOption.APPEND, StandardOpenOption.DELETE_ON_CLOSE);

  private Options() {}

  /**
   * Checks how a file is to be opened. Without WRITE the specification lets CREATE, CREATE_NEW and
   * TRUNCATE_EXISTING be ignored.
   *
   * @throws ReadOnlyFileSystemException if it is to be written or deleted
   * @throws UnsupportedOperationException if an option is not known
   */
  static void requireReading(Set<? extends OpenOption> options) {
    for (OpenOption each : options) {
      if (WRITING.contains(each)) {
        throw new ReadOnlyFileSystemException();
      }
      if (!(each instanceof StandardOpenOption) && !(each instanceof LinkOption)) {
        throw new UnsupportedOperationException(Objects.requireNonNull(each) + ": not known");
      }
    }
  }

  /** Attributes of a new file: none is made, but null is no attribute. */
  static void requireNoNull(FileAttribute<?>... attributes) {
    for (FileAttribute<?> each : attributes) {
      Objects.requireNonNull(each);
    }
  }

  /** {@return whether a symbolic link at the end of a path is followed} */
  static boolean followsLinks(OpenOption... options) {
    boolean follows = true;
    for (OpenOption each : options) {
      follows &= Objects.requireNonNull(each) != LinkOption.NOFOLLOW_LINKS;
    }
    return follows;
  }
}
