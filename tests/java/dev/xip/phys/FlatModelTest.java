package dev.xip.phys;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.AddrRange;
import org.junit.jupiter.api.Test;

class FlatModelTest extends AbstractMemoryModelContract {
  @Override
  MemoryModel newModel(long maxPfn) {
    return new FlatModel();
  }

  /** The array of page frames covers the hole between two banks. */
  @Test
  void aHoleBetweenTwoBanksIsValid() {
    model.addRam(new AddrRange(0, 4 * MIB));
    model.addRam(new AddrRange(12 * MIB, 16 * MIB));
    assertThat(model.pfnValid(pfn(8 * MIB))).isTrue();
    assertThat(model.pfnValid(pfn(16 * MIB))).isFalse();
  }
}
