package dev.xip.mapping;

import dev.xip.base.Errno;
import java.io.IOException;

/**
 * A file that can be mapped into an address space. Linux counterpart: {@code struct address_space}
 * with {@code get_xip_mem} (mm/filemap_xip.c). A file that never changes has {@link #name}, {@link
 * #size} and {@link #translate} and inherits the rest. A file through a page cache has {@link
 * #cachedPages}, which its mappings ask instead of {@link #translate} and {@link #allocate}.
 */
public interface Mappable {
  /** {@return a path or a name, for messages} */
  String name();

  /** {@return the length in bytes at this moment} */
  long size();

  /**
   * {@return the page cache that the file goes through, or null if it is used in place} The answer
   * never changes.
   */
  default CachedPages cachedPages() {
    return null;
  }

  /**
   * Finds where a page lies. Makes no page frame for it. Linux counterpart: {@code get_xip_mem}
   * with create 0.
   *
   * @param pageOffset the page's number in the file
   * @return the run that starts with it, or {@link PageRun#HOLE}
   * @throws IOException if the page cannot be reached
   */
  PageRun translate(long pageOffset) throws IOException;

  /**
   * {@return whether a shared mapping may store into the file, whose pages then lie in writable
   * memory; false for a file opened for reading, or on a read-only file system}
   */
  default boolean isWritable() {
    return false;
  }

  /**
   * Finds where a page lies, after giving it a zeroed block if it is a hole. Concurrent callers for
   * one page get the same block. The caller calls {@link Mapper#holeFilled} afterwards. Linux
   * counterpart: {@code get_xip_mem} with create 1.
   *
   * @param pageOffset the page's number in the file
   * @return the run that starts with it, never a hole
   * @throws IOException if there is no room (ENOSPC) or the file cannot be written (EROFS)
   */
  default PageRun allocate(long pageOffset) throws IOException {
    throw new IOException(
        Errno.EROFS.message(
            "%s, page 0x%x: expected a file that can be written, found a read-only one",
            name(), pageOffset));
  }

  /**
   * Called before the first mapping of this file in a machine is made.
   *
   * @param mapper called when pages move or are removed
   */
  default void attach(Mapper mapper) {}

  /**
   * Called after the last mapping of this file in a machine is gone.
   *
   * @param mapper what {@link #attach} got
   */
  default void detach(Mapper mapper) {}
}
