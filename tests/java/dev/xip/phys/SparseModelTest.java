package dev.xip.phys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.AddrRange;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class SparseModelTest extends AbstractMemoryModelContract {
  @Override
  MemoryModel newModel(long maxPfn) {
    return new SparseModel(27);
  }

  @Test
  void nothingIsValidBeforeItIsInitialised() {
    for (long pfn = 0; pfn < pfn(WINDOW); pfn += 100) {
      assertThat(model.pfnValid(pfn)).isFalse();
    }
  }

  /** The granularity problem: the table has page frames for whole sections or none. */
  @Test
  void aSegmentThatSharesASectionWithRamIsTakenForRam() throws IOException {
    memory.attach(model);
    memory.claim("NEAR", IN_THE_SECTION_OF_RAM, true);
    assertThat(model.pfnValid(pfn(IN_THE_SECTION_OF_RAM.start()))).isTrue();
    assertThat(memory.frames().contains(pfn(IN_THE_SECTION_OF_RAM.start()))).isFalse();
    assertThat(model.pfnValid(pfn(128 * MIB) - 1)).isTrue();
    assertThat(model.pfnValid(pfn(128 * MIB))).isFalse();
  }

  @Test
  void smallerSectionsSetTheTrapCloser() {
    MemoryModel small = new SparseModel(/* 32 MiB, s390 in 2.6.26 */ 25);
    memory.attach(small);
    assertThat(small.pfnValid(pfn(32 * MIB) - 1)).isTrue();
    assertThat(small.pfnValid(pfn(32 * MIB))).isFalse();
  }

  @Test
  void aBankThatEndsInsideASectionFillsIt() {
    model.addRam(new AddrRange(100 * MIB, 130 * MIB));
    assertThat(model.pfnValid(0)).isTrue();
    assertThat(model.pfnValid(pfn(256 * MIB) - 1)).isTrue();
    assertThat(model.pfnValid(pfn(256 * MIB))).isFalse();
  }

  @Test
  void aSectionSizeOutOfRangeIsRefused() {
    assertThatThrownBy(() -> new SparseModel(12)).hasMessageContaining("EINVAL");
    assertThatThrownBy(() -> new SparseModel(40)).hasMessageContaining("EINVAL");
  }
}
