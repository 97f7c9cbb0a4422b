package dev.xip.measure;

import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.PageRun;

/**
 * A file that is one run of physical memory.
 *
 * @param firstPfn where it begins
 * @param size its bytes, whole pages
 */
public record OneRun(long firstPfn, long size) implements Mappable {
  /**
   * Makes a file of a range.
   *
   * @param physical its physical addresses, whole pages
   * @return the file
   */
  public static OneRun of(AddrRange physical) {
    return new OneRun(physical.start() >>> Pages.SHIFT, physical.length());
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
