package dev.xip.vm;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import dev.xip.mapping.Mappable;

/**
 * What mmap is asked for.
 *
 * @param file what to map
 * @param pageOffset the first page of the file
 * @param length the length in bytes, rounded up to pages
 * @param access the rights asked for
 * @param shared MAP_SHARED or MAP_PRIVATE
 * @param address where to put it if that place is free, or -1 for anywhere
 */
public record MapRequest(
    Mappable file, long pageOffset, long length, Access access, boolean shared, long address) {

  /** The {@link #address} that leaves the choice to the address space. */
  public static final long ANYWHERE = -1;

  /**
   * Asks for a whole file, shared, anywhere.
   *
   * @param file what to map
   * @param access the rights asked for
   * @return the request
   */
  public static MapRequest shared(Mappable file, Access access) {
    return new MapRequest(file, 0, file.size(), access, true, ANYWHERE);
  }

  /**
   * Asks for a whole file, privately, anywhere.
   *
   * @param file what to map
   * @param access the rights asked for
   * @return the request
   */
  public static MapRequest privately(Mappable file, Access access) {
    return new MapRequest(file, 0, file.size(), access, false, ANYWHERE);
  }

  /**
   * Narrows the request to some pages.
   *
   * @param first the first page of the file
   * @param bytes the length in bytes
   * @return the request
   */
  public MapRequest pages(long first, long bytes) {
    return new MapRequest(file, first, bytes, access, shared, address);
  }

  /**
   * Asks for a place.
   *
   * @param start the address, page aligned
   * @return the request
   */
  public MapRequest at(long start) {
    return new MapRequest(file, pageOffset, length, access, shared, start);
  }

  /**
   * Returns the length of the mapping.
   *
   * @return the length rounded up to whole pages
   */
  long roundedLength() {
    return Pages.roundUp(length);
  }
}
