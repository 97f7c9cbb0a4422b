package dev.xip.phys;

import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;

/**
 * A table of sections, each with page frames for all of itself or for nothing: two dependent loads
 * and no lock. A segment that shares a section with RAM is therefore called valid, which is wrong:
 * page frames that the boot never initialised are counted. The mail of 16 January 2008
 * (20080116042205.GB29681@wotan.suse.de) puts it at nearly 5 % of the kernel's time in fork, exec
 * and exit on x86. Linux counterpart: {@code CONFIG_SPARSEMEM_EXTREME} (include/linux/mmzone.h,
 * mm/sparse.c).
 *
 * <p>The table is zeroed memory from the start, so before RAM is known every answer is false. It
 * grows while the machine boots and never changes afterwards; a reader that races with the growth
 * sees a section with its bit or without, and either was true a moment ago.
 */
public final class SparseModel implements MemoryModel {
  /** The section's page frames exist ({@code SECTION_HAS_MEM_MAP}). */
  private static final long HAS_MEM_MAP = 0x2;

  /** log2 of the sections of one root: as many records of 16 bytes as a page holds. */
  private static final int ROOT_BITS = 8;

  /** The width in bits of the physical addresses that the table covers, as on s390 and x86-64. */
  private static final int MAX_PHYSICAL_BITS = 46;

  private final int sectionBits;
  private final int sectionShift;
  private final long sections;
  private final long[][] roots;

  /**
   * Makes an empty table.
   *
   * @param sectionBits log2 of the section size in bytes, 20 to 34
   * @throws IllegalArgumentException if the section size is out of range
   */
  public SparseModel(int sectionBits) {
    if (sectionBits < 20 || sectionBits > 34) {
      throw new IllegalArgumentException(
          Errno.EINVAL.message("sections of 2^%d bytes: expected 2^20 to 2^34", sectionBits));
    }
    this.sectionBits = sectionBits;
    this.sectionShift = sectionBits - Pages.SHIFT;
    this.sections = 1L << MAX_PHYSICAL_BITS - sectionBits;
    this.roots = new long[(int) (sections + (1 << ROOT_BITS) - 1 >>> ROOT_BITS)][];
  }

  @Override
  public String name() {
    return "sparse, %d MiB".formatted(1L << sectionBits - 20);
  }

  @Override
  public boolean pfnValid(long pfn) {
    long section = pfn >>> sectionShift;
    if (section >= sections) {
      return false;
    }
    long[] root = roots[(int) (section >>> ROOT_BITS)];
    return root != null && (root[(int) section & (1 << ROOT_BITS) - 1] & HAS_MEM_MAP) != 0;
  }

  @Override
  public void addRam(AddrRange bank) {
    for (long section = bank.start() >>> sectionBits;
        section << sectionBits < bank.end();
        section++) {
      int root = (int) (section >>> ROOT_BITS);
      if (roots[root] == null) {
        roots[root] = new long[1 << ROOT_BITS];
      }
      roots[root][(int) section & (1 << ROOT_BITS) - 1] |= HAS_MEM_MAP;
    }
  }
}
