package dev.xip.elf;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;

/**
 * A part of an ELF file to be mapped, in bytes and in whole pages: the file and the address are
 * congruent modulo the page size, and no two loadable segments of a file share a page of memory.
 * gABI: a program header of type PT_LOAD; Linux counterpart: {@code elf_map} (fs/binfmt_elf.c).
 *
 * @param access the rights its memory is to have
 * @param offset where its bytes lie in the file
 * @param address their address in memory, without load bias
 * @param fileSize how many bytes the file has, at most the size in memory
 * @param memorySize how many bytes it has in memory; those past the file's are zero
 */
public record LoadableSegment(
    Access access, long offset, long address, long fileSize, long memorySize) {

  static LoadableSegment of(ProgramHeader header) {
    return new LoadableSegment(
        header.access(), header.offset(), header.address(), header.fileSize(), header.memorySize());
  }

  /**
   * Tells whether an address lies inside.
   *
   * @param va an address, without load bias
   * @return true if it is that of a byte of this segment
   */
  public boolean contains(long va) {
    return va >= address && va - address < memorySize;
  }

  /**
   * {@return the page-aligned range of memory that shows pages of the file, empty if the file has
   * no byte of this segment}
   */
  public AddrRange filePages() {
    long start = Pages.roundDown(address);
    return new AddrRange(start, fileSize == 0 ? start : Pages.roundUp(address + fileSize));
  }

  /**
   * Returns the pages of memory that hold zeros only. Linux counterpart: {@code set_brk} (fs/
   * binfmt_elf.c).
   *
   * @return the page-aligned range that follows the pages of the file, maybe empty
   */
  public AddrRange zeroPages() {
    return new AddrRange(filePages().end(), pages().end());
  }

  /** {@return the page-aligned range of memory of the segment, empty if it has no byte} */
  public AddrRange pages() {
    long start = Pages.roundDown(address);
    return new AddrRange(start, memorySize == 0 ? start : Pages.roundUp(address + memorySize));
  }

  /** {@return the number of the file page that is mapped at the first page of memory} */
  public long firstFilePage() {
    return offset >>> Pages.SHIFT;
  }

  /**
   * Returns the bytes behind those of the file on their last page, which must be zeroed. Linux
   * counterpart: {@code padzero} (fs/binfmt_elf.c).
   *
   * @return the range, empty unless the memory size exceeds the file size
   */
  public AddrRange zeroTail() {
    long start = address + fileSize;
    if (memorySize == fileSize || fileSize == 0) {
      return new AddrRange(start, start);
    }
    return new AddrRange(start, Pages.roundUp(start));
  }
}
