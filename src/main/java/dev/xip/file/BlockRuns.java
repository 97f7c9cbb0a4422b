package dev.xip.file;

import dev.xip.mapping.PageRun;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * The blocks of a file's pages, stored as runs contiguous in the file and on the device: memory
 * grows with the number of runs, not with the file's size. Not thread safe. Linux counterpart: the
 * extent status tree of ext4 (fs/ext4/extents_status.c).
 */
final class BlockRuns {
  /** The runs by their first pages. No two overlap; contiguous ones are merged. */
  private final NavigableMap<Long, Run> runs = new TreeMap<>();

  /**
   * Contiguous pages in contiguous blocks.
   *
   * @param page the first page's number in the file
   * @param pfn the page frame number of its block
   * @param pages how many pages, at least 1
   */
  record Run(long page, long pfn, long pages) {
    long end() {
      return page + pages;
    }
  }

  /**
   * Finds where a page lies.
   *
   * @param page its number
   * @param limit the end of a hole that no run follows
   * @return the rest of its run, or of its hole
   */
  PageRun at(long page, long limit) {
    Map.Entry<Long, Run> before = runs.floorEntry(page);
    if (before != null && page < before.getValue().end()) {
      Run run = before.getValue();
      return new PageRun(run.pfn + (page - run.page), run.end() - page);
    }
    Long next = runs.higherKey(page);
    return new PageRun(-1, Math.max(1, (next == null ? limit : next) - page));
  }

  /** Adds the block of a page. Precondition: the page is a hole. */
  void add(long page, long pfn) {
    Run run = new Run(page, pfn, 1);
    Map.Entry<Long, Run> before = runs.floorEntry(page);
    if (before != null && continues(before.getValue(), run)) {
      run = new Run(before.getKey(), before.getValue().pfn, before.getValue().pages + 1);
    }
    Run after = runs.get(page + 1);
    if (after != null && continues(run, after)) {
      runs.remove(after.page);
      run = new Run(run.page, run.pfn, run.pages + after.pages);
    }
    runs.put(run.page, run);
  }

  private static boolean continues(Run run, Run next) {
    return run.end() == next.page && run.pfn + run.pages == next.pfn;
  }

  /**
   * Makes pages a hole.
   *
   * @param first the first of them
   * @param end the page after the last, above the first
   * @return the runs that lay there
   */
  List<Run> remove(long first, long end) {
    splitAt(first);
    splitAt(end);
    Map<Long, Run> inside = runs.subMap(first, end);
    List<Run> gone = new ArrayList<>(inside.values());
    inside.clear();
    return gone;
  }

  private void splitAt(long page) {
    Map.Entry<Long, Run> before = runs.lowerEntry(page);
    if (before != null && page < before.getValue().end()) {
      Run run = before.getValue();
      long kept = page - run.page;
      runs.put(run.page, new Run(run.page, run.pfn, kept));
      runs.put(page, new Run(page, run.pfn + kept, run.pages - kept));
    }
  }

  /** {@return how many pages have blocks} */
  long pages() {
    return runs.values().stream().mapToLong(Run::pages).sum();
  }
}
