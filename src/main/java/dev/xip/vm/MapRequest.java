package dev.xip.vm;

import dev.xip.base.Access;
import dev.xip.mapping.Mappable;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;

/**
 * The arguments of mmap. The call checks them, not this record.
 *
 * <p>Lock held by the caller: none needed.
 *
 * @param file what to map, or null for anonymous memory
 * @param pageOffset the first page of the file; without meaning for anonymous memory
 * @param length the length in bytes, rounded up to pages
 * @param access the rights asked for
 * @param flags how to map
 * @param address where to put it, or {@link #ANYWHERE}; no more than a hint unless {@link
 *     MapFlag#FIXED} or {@link MapFlag#FIXED_NOREPLACE} is among the flags
 */
public record MapRequest(
    Mappable file, long pageOffset, long length, Access access, Set<MapFlag> flags, long address) {

  /** The {@link #address} that leaves the choice to the address space. */
  public static final long ANYWHERE = -1;

  /** Takes a copy of the flags. */
  public MapRequest {
    flags = Set.copyOf(flags);
  }

  /**
   * Asks for a whole file, shared, anywhere.
   *
   * @param file what to map
   * @param access the rights asked for
   * @return the request
   */
  public static MapRequest shared(Mappable file, Access access) {
    return new MapRequest(file, 0, file.size(), access, Set.of(MapFlag.SHARED), ANYWHERE);
  }

  /**
   * Asks for a whole file, privately, anywhere.
   *
   * @param file what to map
   * @param access the rights asked for
   * @return the request
   */
  public static MapRequest privately(Mappable file, Access access) {
    return new MapRequest(file, 0, file.size(), access, Set.of(), ANYWHERE);
  }

  /**
   * Asks for anonymous memory, private, anywhere.
   *
   * @param length the length in bytes
   * @param access the rights asked for
   * @return the request
   */
  public static MapRequest anonymous(long length, Access access) {
    return new MapRequest(null, 0, length, access, Set.of(), ANYWHERE);
  }

  /**
   * Narrows the request to some pages.
   *
   * @param first the first page of the file
   * @param bytes the length in bytes
   * @return the request
   */
  public MapRequest pages(long first, long bytes) {
    return new MapRequest(file, first, bytes, access, flags, address);
  }

  /**
   * Asks for a place that must be free.
   *
   * @param start the address, page aligned
   * @return the request
   */
  public MapRequest at(long start) {
    return placed(start, MapFlag.FIXED_NOREPLACE);
  }

  /**
   * Asks for a place; existing mappings there are removed.
   *
   * @param start the address, page aligned
   * @return the request
   */
  public MapRequest over(long start) {
    return placed(start, MapFlag.FIXED);
  }

  /**
   * Gives a hint for the place; if it is taken, another one is chosen.
   *
   * @param hint an address, rounded down to pages
   * @return the request
   */
  public MapRequest near(long hint) {
    return new MapRequest(file, pageOffset, length, access, flags, hint);
  }

  private MapRequest placed(long start, MapFlag how) {
    return near(start).with(how);
  }

  /**
   * Adds flags.
   *
   * @param more how to map
   * @return the request
   */
  public MapRequest with(MapFlag... more) {
    Set<MapFlag> all = EnumSet.noneOf(MapFlag.class);
    all.addAll(flags);
    all.addAll(Arrays.asList(more));
    return new MapRequest(file, pageOffset, length, access, all, address);
  }

  /**
   * Tells whether a flag is set.
   *
   * @param flag a flag
   * @return true if it is
   */
  boolean has(MapFlag flag) {
    return flags.contains(flag);
  }

  /** Prints the call as strace would. */
  @Override
  public String toString() {
    return "mmap %s, 0x%x bytes from page 0x%x, %s %s%s"
        .formatted(
            file == null ? "anonymous memory" : file.name(),
            length,
            pageOffset,
            access,
            EnumSet.allOf(MapFlag.class).stream().filter(flags::contains).toList(),
            address == ANYWHERE ? "" : " at 0x%x".formatted(address));
  }
}
