package dev.xip.disk;

import java.util.Locale;

/**
 * A partition of a disk, as its table has it: it need not lie inside the disk.
 *
 * @param number its number, from 1, as the kernel counts
 * @param start its first byte on the disk
 * @param size its length in bytes; 0 if it ends before it begins
 * @param type its type: a GUID in lower case, or the byte of an MBR entry as in {@code 0x83} or
 *     {@code 0x7}
 * @param name its name, empty in an MBR
 * @param uuid its own UUID, in lower case
 * @param container whether it only holds logical partitions
 */
public record Partition(
    int number, long start, long size, String type, String name, String uuid, boolean container) {
  private static final String UNITS = "KMGTPE";

  /** {@return the byte behind it; {@link Long#MAX_VALUE} if that cannot be counted} */
  public long end() {
    return start > Long.MAX_VALUE - size ? Long.MAX_VALUE : start + size;
  }

  /** Tells whether two partitions share a byte. */
  boolean overlaps(Partition other) {
    return start < other.end() && other.start < end();
  }

  /** Tells the size as a person would, such as 3.9 GiB. */
  String sizeText() {
    int unit = -1;
    double shown = size;
    while (shown >= 1024 && unit < UNITS.length() - 1) {
      shown /= 1024;
      unit++;
    }
    String number = String.format(Locale.ROOT, "%.1f", shown).replace(".0", "");
    return unit < 0 ? size + " bytes" : "%s %ciB".formatted(number, UNITS.charAt(unit));
  }
}
