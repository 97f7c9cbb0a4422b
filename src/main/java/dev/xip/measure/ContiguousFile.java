package dev.xip.measure;

import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.PageRun;

/**
 * A file in one extent of physical memory.
 *
 * @param firstPfn the first page frame number
 * @param size its bytes, whole pages
 */
public record ContiguousFile(long firstPfn, long size) implements Mappable {
  /**
   * Makes a file of a range.
   *
   * @param physical its physical addresses, whole pages
   * @return the file
   */
  public static ContiguousFile of(AddrRange physical) {
    return new ContiguousFile(physical.start() >>> Pages.SHIFT, physical.length());
  }

  @Override
  public String name() {
    return "benchmark";
  }

  @Override
  public PageRun translate(long page) {
    return new PageRun(firstPfn + page, (size >>> Pages.SHIFT) - page);
  }
}
