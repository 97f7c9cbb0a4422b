package dev.xip.phys;

import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a machine's RAM lies: one bank, or several with holes between them. The mem_map is one
 * array from frame 0 to the end of the last bank, so it has records for the frames of holes too, as
 * with FLATMEM; where it is made in sections, it goes on to the end of the last section. Linux
 * counterpart: {@code memory_chunk} (asm-s390/setup.h), memblock.
 *
 * @param ranges the banks, page aligned, ascending, not adjacent; the first begins at 0
 * @param memMapBits log2 of the bytes that a part of the mem_map is for: {@link Pages#SHIFT}, or
 *     the section size of sparsemem, at most 34
 */
public record RamBanks(List<AddrRange> ranges, int memMapBits) {
  /**
   * Checks the banks.
   *
   * @throws IllegalArgumentException if they are not as said (EINVAL)
   */
  public RamBanks {
    ranges = List.copyOf(ranges);
    if (ranges.isEmpty()) {
      throw new IllegalArgumentException(Errno.EINVAL.message("RAM: expected a bank, found none"));
    }
    if (memMapBits < Pages.SHIFT || memMapBits > 34) {
      throw new IllegalArgumentException(
          Errno.EINVAL.message("mem_map for 2^%d bytes: expected 2^12 to 2^34", memMapBits));
    }
    long least = 0;
    for (AddrRange bank : ranges) {
      Pages.requireAligned(bank.start(), "start of a bank of RAM");
      Pages.requireAligned(bank.end(), "end of a bank of RAM");
      if (bank.start() < least || least == 0 && bank.start() != 0 || bank.length() == 0) {
        throw new IllegalArgumentException(
            Errno.EINVAL.message(
                "bank of RAM %s: expected one that begins %s and is not empty",
                bank, least == 0 ? "at 0" : "above 0x%x, behind a hole".formatted(least - 1)));
      }
      least = bank.end() + 1;
    }
  }

  /**
   * Describes RAM without holes.
   *
   * @param bytes the size in bytes, page aligned, at least one page
   * @return one bank at address 0
   */
  public static RamBanks of(long bytes) {
    return of(new AddrRange(0, bytes));
  }

  /**
   * Describes RAM in banks.
   *
   * @param banks the banks
   * @return RAM whose mem_map ends with the last bank
   */
  public static RamBanks of(AddrRange... banks) {
    return new RamBanks(List.of(banks), Pages.SHIFT);
  }

  /**
   * Makes the mem_map in sections, as sparsemem does.
   *
   * @param bits log2 of the section size in bytes
   * @return the same banks
   */
  public RamBanks inSections(int bits) {
    return new RamBanks(ranges, bits);
  }

  /** {@return the size of RAM in bytes, without holes} */
  public long bytes() {
    return ranges.stream().mapToLong(AddrRange::length).sum();
  }

  /** {@return the first address behind the last bank} */
  public long end() {
    return ranges.getLast().end();
  }

  /** {@return the holes between banks, ascending} */
  public List<AddrRange> holes() {
    List<AddrRange> holes = new ArrayList<>();
    for (int i = 1; i < ranges.size(); i++) {
      holes.add(new AddrRange(ranges.get(i - 1).end(), ranges.get(i).start()));
    }
    return holes;
  }

  /** {@return the number of page frames that the mem_map has records for, those of holes too} */
  long memMapFrames() {
    return end() + (1L << memMapBits) - 1 >>> memMapBits << memMapBits - Pages.SHIFT;
  }

  @Override
  public String toString() {
    return ranges.toString();
  }
}
