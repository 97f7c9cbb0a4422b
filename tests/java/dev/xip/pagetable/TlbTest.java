package dev.xip.pagetable;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Pages;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TlbTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final long GRANULE = 16 * Pages.SIZE;

  private final Tlb tlb = new Tlb(GRANULE, 64);

  @Test
  void aRunIsFoundByItsAddressesInTheSameGranule() {
    tlb.put(5 * GRANULE + 77, 4 * GRANULE, 4 * GRANULE, 1234, 9);
    int entry = tlb.find(6 * GRANULE - 8);
    assertThat(tlb.start(entry)).isEqualTo(4 * GRANULE);
    assertThat(tlb.length(entry)).isEqualTo(4 * GRANULE);
    assertThat(tlb.distance(entry)).isEqualTo(1234);
    assertThat(tlb.generation(entry)).isEqualTo(9);
    assertThat(tlb.find(6 * GRANULE)).isEqualTo(Tlb.NONE);
  }

  @Test
  void twoRunsThatMeetInAGranuleHaveAnEntryEach() {
    long border = 5 * GRANULE + 3 * Pages.SIZE;
    tlb.put(border - 1, border - GRANULE, GRANULE, 1, 9);
    tlb.put(border, border, GRANULE, 2, 9);
    assertThat(tlb.distance(tlb.find(border - 8))).isEqualTo(1);
    assertThat(tlb.distance(tlb.find(border))).isEqualTo(2);
  }

  @Test
  void aLongThatCrossesTheEndOfARunIsNotFound() {
    tlb.put(0, 0, Pages.SIZE, 1, 9);
    assertThat(tlb.find(Pages.SIZE - 8)).isNotEqualTo(Tlb.NONE);
    assertThat(tlb.find(Pages.SIZE - 7)).isEqualTo(Tlb.NONE);
  }

  @Test
  void itGrowsUntilAsManyRunsAsItMayHoldAreFound() {
    Tlb large = new Tlb(GRANULE, 1024);
    for (int round = 0; round < 20; round++) {
      for (long i = 0; i < 512; i++) {
        large.put(i * GRANULE, i * GRANULE, GRANULE, i, 9);
      }
    }
    for (long i = 0; i < 512; i++) {
      assertThat(large.distance(large.find(i * GRANULE))).isEqualTo(i);
    }
  }

  @Test
  void anEntryFoundHoldsTheAddressAndWasPut() {
    Random random = new Random(SEED);
    long[] pages = random.longs(4000, 0, 3000).toArray();
    for (long page : pages) {
      long start = page * Pages.SIZE;
      // Each run's distance identifies it, so that a mixture of two would be noticed.
      long length = (page % 7 + 1) * Pages.SIZE;
      tlb.put(start + random.nextLong(length), start, length, page, page % 3);
      long va = random.nextLong(3000 * Pages.SIZE);
      int entry = tlb.find(va);
      if (entry != Tlb.NONE) {
        long found = tlb.distance(entry);
        assertThat(tlb.start(entry)).as("-Dxip.seed=%d", SEED).isEqualTo(found * Pages.SIZE);
        assertThat(tlb.length(entry)).isEqualTo((found % 7 + 1) * Pages.SIZE);
        assertThat(tlb.generation(entry)).isEqualTo(found % 3);
        assertThat(va - tlb.start(entry)).isBetween(0L, tlb.length(entry) - 8);
      }
    }
  }

  @Test
  void sizesThatAreNoPowersOfTwoAreRefused() {
    assertThatThrownBy(() -> new Tlb(Pages.SIZE, 64)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Tlb(GRANULE, 65)).isInstanceOf(IllegalArgumentException.class);
  }
}
