package dev.xip.mapping;

import dev.xip.base.Errno;
import java.io.IOException;

/**
 * What can be mapped into an address space. Linux counterpart: {@code struct address_space} with
 * {@code get_xip_mem} (mm/filemap_xip.c). A file that never changes has {@link #name}, {@link
 * #size} and {@link #translate} and leaves the rest as it is.
 */
public interface Mappable {
  /**
   * Names the thing mapped, for people.
   *
   * @return a path or a name
   */
  String name();

  /**
   * Returns the length at this moment.
   *
   * @return the length in bytes
   */
  long size();

  /**
   * Says where a page lies, without a page frame ever being made for it. Linux counterpart: {@code
   * get_xip_mem} with create 0.
   *
   * @param pageOffset the page's number in the file
   * @return the run that starts with it, or {@link PageRun#HOLE}
   * @throws IOException if the page cannot be reached
   */
  PageRun translate(long pageOffset) throws IOException;

  /**
   * Tells whether a shared mapping may store into the file. Pages of such a file lie in writable
   * memory.
   *
   * @return false for a file opened for reading, or on a read-only file system
   */
  default boolean isWritable() {
    return false;
  }

  /**
   * Says where a page lies, and gives it a zeroed block first if it is a hole. Two threads that
   * come for one page get the same block. Who calls this tells the mapper afterwards ({@link
   * Mapper#holeFilled}). Linux counterpart: {@code get_xip_mem} with create 1.
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
   * @param mapper whom to tell when pages change their place
   */
  default void attach(Mapper mapper) {}

  /**
   * Called after the last mapping of this file in a machine is gone.
   *
   * @param mapper what {@link #attach} got
   */
  default void detach(Mapper mapper) {}
}
