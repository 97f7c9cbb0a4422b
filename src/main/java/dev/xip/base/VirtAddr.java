package dev.xip.base;

/**
 * A virtual address of a modelled address space. It is never negative: xip models the user half
 * only, and the architecture's own limit is checked by the address space.
 *
 * @param value the address in bytes, at least 0
 */
public record VirtAddr(long value) implements Comparable<VirtAddr> {
  /** Rejects addresses of the kernel half. */
  public VirtAddr {
    if (value < 0) {
      throw new IllegalArgumentException("virtual address %#x is negative".formatted(value));
    }
  }

  /**
   * Rounds down to the start of the page that holds this address.
   *
   * @return the page's first address
   */
  public VirtAddr pageStart() {
    return new VirtAddr(Pages.roundDown(value));
  }

  @Override
  public int compareTo(VirtAddr other) {
    return Long.compare(value, other.value);
  }

  @Override
  public String toString() {
    return "0x%x".formatted(value);
  }
}
