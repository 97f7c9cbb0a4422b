package dev.xip.file;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.mapping.PageRun;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Runs give the same answers as a table with one line for each page, and are the fewest possible.
 */
class BlockRunsTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final int PAGES = 64;

  private final BlockRuns runs = new BlockRuns();
  private final TreeMap<Long, Long> table = new TreeMap<>();

  @Test
  void runsAnswerAsATableOfPagesDoes() {
    System.err.println("BlockRunsTest: -Dxip.seed=" + SEED);
    Random random = new Random(SEED);
    for (int step = 0; step < 20_000; step++) {
      long page = random.nextInt(PAGES);
      if (random.nextInt(6) == 0) {
        remove(page, page + 1 + random.nextInt(8));
      } else if (!table.containsKey(page)) {
        long pfn = random.nextInt(3) == 0 ? random.nextInt(1000) : 5000 + page;
        runs.add(page, pfn);
        table.put(page, pfn);
      }
      assertThat(runs.pages()).isEqualTo(table.size());
      for (long each = 0; each < PAGES; each++) {
        assertThat(runs.at(each, PAGES)).isEqualTo(expected(each));
      }
    }
  }

  private void remove(long first, long end) {
    List<BlockRuns.Run> gone = runs.remove(first, end);
    for (BlockRuns.Run run : gone) {
      for (long i = 0; i < run.pages(); i++) {
        assertThat(table.remove(run.page() + i)).isEqualTo(run.pfn() + i);
      }
    }
    assertThat(table.subMap(first, end)).isEmpty();
  }

  private PageRun expected(long page) {
    Long pfn = table.get(page);
    long end = page + 1;
    if (pfn == null) {
      while (end < PAGES && !table.containsKey(end)) {
        end++;
      }
      return new PageRun(-1, end - page);
    }
    while (Long.valueOf(pfn + end - page).equals(table.get(end))) {
      end++;
    }
    return new PageRun(pfn, end - page);
  }
}
