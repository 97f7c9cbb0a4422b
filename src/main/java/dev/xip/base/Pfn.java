package dev.xip.base;

/**
 * A page frame number: a physical address divided by 4096. A pfn says nothing about whether a page
 * frame structure exists for it.
 *
 * @param value the number, {@code 0 <= value < 2^40}
 */
public record Pfn(long value) {
  /** Rejects numbers that no entry can hold. */
  public Pfn {
    if (value < 0 || value >>> (PhysAddr.BITS - Pages.SHIFT) != 0) {
      throw new IllegalArgumentException("pfn %#x is outside 0..2^40".formatted(value));
    }
  }

  /** {@return the physical address of the frame's first byte} */
  public PhysAddr address() {
    return new PhysAddr(value << Pages.SHIFT);
  }

  @Override
  public String toString() {
    return "pfn 0x%x".formatted(value);
  }
}
