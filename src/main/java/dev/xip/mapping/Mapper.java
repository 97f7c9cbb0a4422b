package dev.xip.mapping;

/**
 * The mappings of a file, which the file calls when its pages move or are removed. Precondition of
 * each call: the change is made, so that {@link Mappable#translate} gives the new answer, and the
 * file holds no lock that translate takes; or, for a file through a page cache, the page is locked
 * or past the end of the file. Linux counterpart: {@code address_space.i_mmap} (fs.h).
 */
public interface Mapper {
  /**
   * Unmaps pages from every address space. When this returns, no mapping reads or writes the old
   * pages any more, so that they can be reused. Linux counterpart: {@code unmap_mapping_range}
   * (mm/memory.c).
   *
   * @param firstPage the first page's number in the file
   * @param pages how many pages, at least 1; {@link Long#MAX_VALUE} for all that follow
   * @param evenCopies whether private copies are unmapped too (truncate) or stay (invalidate)
   */
  void unmap(long firstPage, long pages, boolean evenCopies);

  /**
   * Unmaps the zero page of a hole from every address space, because the hole now has a block.
   * Linux counterpart: {@code __xip_unmap} (mm/filemap_xip.c).
   *
   * @param page the page's number in the file
   */
  void holeFilled(long page);
}
