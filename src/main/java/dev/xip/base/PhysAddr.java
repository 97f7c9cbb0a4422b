package dev.xip.base;

/**
 * A physical address inside the machine's window, at most 52 bits wide.
 *
 * @param value the address in bytes, {@code 0 <= value < 2^52}
 */
public record PhysAddr(long value) {
  /** The widest physical address that an entry can hold, in bits. */
  public static final int BITS = 52;

  /** Rejects addresses that no entry can hold. */
  public PhysAddr {
    if (value < 0 || value >>> BITS != 0) {
      throw new IllegalArgumentException(
          "physical address %#x is outside 0..2^%d".formatted(value, BITS));
    }
  }

  @Override
  public String toString() {
    return "0x%x".formatted(value);
  }
}
