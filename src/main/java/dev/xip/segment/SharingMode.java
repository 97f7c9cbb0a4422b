package dev.xip.segment;

/**
 * How a segment is loaded. The ordinal is the kernel's number (SEGMENT_SHARED, SEGMENT_EXCLUSIVE in
 * arch/s390/include/asm/extmem.h).
 */
public enum SharingMode {
  /** Shared with all other shared loads; the type decides whether it is writable. */
  SHARED,
  /** As a private copy, which others see only after it is saved. */
  EXCLUSIVE
}
