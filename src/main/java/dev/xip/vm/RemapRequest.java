package dev.xip.vm;

import dev.xip.base.AddrRange;

/**
 * The arguments of mremap. The call checks them, not this record.
 *
 * <p>Lock held by the caller: none needed.
 *
 * @param old the present addresses; if empty, the mapping stays and is mapped once more
 * @param newLength the length in bytes from now on, rounded up to pages
 * @param mayMove whether the mapping may move if there is no room (MREMAP_MAYMOVE)
 * @param target the new address, where existing mappings are removed (MREMAP_FIXED), or {@link
 *     #ANYWHERE}
 */
public record RemapRequest(AddrRange old, long newLength, boolean mayMove, long target) {
  /** The {@link #target} that leaves the choice to the address space. */
  public static final long ANYWHERE = -1;

  /**
   * Asks for another length at the same place.
   *
   * @param old the addresses as they are
   * @param newLength the length in bytes from now on
   * @return the request
   */
  public static RemapRequest inPlace(AddrRange old, long newLength) {
    return new RemapRequest(old, newLength, false, ANYWHERE);
  }

  /**
   * Asks for another length; the mapping may move.
   *
   * @param old the addresses as they are
   * @param newLength the length in bytes from now on
   * @return the request
   */
  public static RemapRequest anywhere(AddrRange old, long newLength) {
    return new RemapRequest(old, newLength, true, ANYWHERE);
  }

  /**
   * Asks for another place, and optionally another length.
   *
   * @param old the addresses as they are
   * @param newLength the length in bytes from now on
   * @param target the address to move to, page aligned
   * @return the request
   */
  public static RemapRequest to(AddrRange old, long newLength, long target) {
    return new RemapRequest(old, newLength, true, target);
  }

  /** Prints the call as strace would. */
  @Override
  public String toString() {
    return "mremap %s to 0x%x bytes%s"
        .formatted(
            old,
            newLength,
            target != ANYWHERE
                ? " at 0x%x".formatted(target)
                : mayMove ? ", anywhere" : ", in place");
  }
}
