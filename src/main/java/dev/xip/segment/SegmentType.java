package dev.xip.segment;

import dev.xip.base.Access;
import dev.xip.host.Sharing;

/**
 * The type of a segment: the access to its pages. The first letter says shared or exclusive, the
 * second read-only (R), writable (W) or writable without the contents being saved (N). Linux
 * counterpart: SEG_TYPE_* in arch/s390/include/asm/extmem.h.
 */
public enum SegmentType {
  /** Shared, writable: shared loads see each other's stores at once. */
  SW(0),
  /** Exclusive, writable: each load has a private copy, even a shared one. */
  EW(1),
  /** Shared, read-only. */
  SR(2),
  /** Exclusive, read-only. */
  ER(3),
  /** Shared, writable, not saved. */
  SN(4),
  /** Exclusive, writable, not saved. */
  EN(5),
  /** Shared, written by the hypervisor alone; read-only in either mode. */
  SC(6),
  /** Several parts, each EW or EN. Never the type of a single part. */
  EWEN(7);

  private final int number;

  SegmentType(int number) {
    this.number = number;
  }

  /** {@return the kernel's number, 0..7} */
  public int number() {
    return number;
  }

  /**
   * Tells whether stores are allowed. Linux counterpart: the rule for IORESOURCE_READONLY in {@code
   * __segment_load} (arch/s390/mm/extmem.c).
   *
   * @param mode how the segment is loaded
   * @return false for SC, and for SR and ER loaded shared
   */
  public boolean isWritable(SharingMode mode) {
    return switch (this) {
      case SC -> false;
      case SR, ER -> mode == SharingMode.EXCLUSIVE;
      case SW, EW, SN, EN, EWEN -> true;
    };
  }

  /** {@return whether each load has pages of its own, even a shared one: EW, ER, EN and EWEN} */
  public boolean isExclusiveByType() {
    return switch (this) {
      case EW, ER, EN, EWEN -> true;
      case SW, SR, SN, SC -> false;
    };
  }

  /**
   * {@return whether a save keeps the contents: not of SN and EN; of EWEN the EW parts are kept}
   */
  public boolean keepsContents() {
    return this != SN && this != EN;
  }

  /**
   * Tells whether a segment of several parts may have parts of this type, which also makes segments
   * fit to be neighbours on one device (drivers/s390/block/dcssblk.c: dcssblk_is_continuous).
   *
   * @return true for EW, EN and EWEN
   */
  public boolean isCombinable() {
    return this == EW || this == EN || this == EWEN;
  }

  /** The rights of the pages in physical memory. */
  Access access(SharingMode mode) {
    return isWritable(mode) ? Access.READ_WRITE : Access.READ;
  }

  /** Whether stores reach the data file. */
  Sharing sharing(SharingMode mode) {
    return mode == SharingMode.EXCLUSIVE || isExclusiveByType() ? Sharing.PRIVATE : Sharing.SHARED;
  }
}
