package dev.xip.segment;

/**
 * How a segment is loaded. The ordinal is the kernel's number (SEGMENT_SHARED, SEGMENT_EXCLUSIVE in
 * arch/s390/include/asm/extmem.h).
 */
public enum SharingMode {
  /** With everybody else who has it; the type says who may write. */
  SHARED,
  /** As a private copy, which nobody else sees until it is saved. */
  EXCLUSIVE
}
