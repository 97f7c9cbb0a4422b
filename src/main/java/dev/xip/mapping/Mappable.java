package dev.xip.mapping;

import java.io.IOException;

/**
 * What can be mapped into an address space. Linux counterpart: {@code struct address_space} with
 * {@code get_xip_mem} (mm/filemap_xip.c).
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
   * Says where a page lies, without a page frame ever being made for it.
   *
   * @param pageOffset the page's number in the file
   * @return the run that starts with it, or {@link Translation#HOLE}
   * @throws IOException if the page cannot be reached
   */
  Translation translate(long pageOffset) throws IOException;
}
