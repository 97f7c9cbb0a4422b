package dev.xip.mapping;

/**
 * Somebody who maps a file, for the file to tell when a page no longer lies where it lay. The file
 * calls with no lock held that {@link Mappable#translate} needs, and after the change is made: who
 * asks from then on gets the new answer. Linux counterpart: {@code address_space.i_mmap} (fs.h).
 */
public interface Mapper {
  /**
   * Takes pages out of every address space. When this returns, nobody reads or writes the old bytes
   * any more, so their place may be used for something else. Linux counterpart: {@code
   * unmap_mapping_range} (mm/memory.c).
   *
   * @param firstPage the first page's number in the file
   * @param pages how many pages, at least 1; {@link Long#MAX_VALUE} for all that follow
   * @param evenCopies whether private copies go too (truncate) or stay (invalidate)
   */
  void unmap(long firstPage, long pages, boolean evenCopies);

  /**
   * Takes the page of zeros, which stood for a hole, out of every address space, because the hole
   * has become a page with a place. Linux counterpart: {@code __xip_unmap} (mm/filemap_xip.c).
   *
   * @param page the page's number in the file
   */
  void holeFilled(long page);
}
