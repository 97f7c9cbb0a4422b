package dev.xip.phys;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.AddrRange;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class SortedArrayModelTest extends AbstractMemoryModelContract {
  @Override
  MemoryModel newModel(long maxPfn) {
    return new SortedArrayModel(maxPfn);
  }

  @Override
  boolean takesHolesForRam() {
    return true;
  }

  @Test
  void segmentsThatTouchStaySeparate() throws IOException {
    memory.attach(model);
    Region high = memory.claim("HIGH", new AddrRange(3 * MIB + RAM, 4 * MIB + RAM), true);
    Region low = memory.claim("LOW", new AddrRange(2 * MIB + RAM, 3 * MIB + RAM), true);
    memory.release(high);
    assertThat(model.pfnValid(pfn(low.range().end()) - 1)).isFalse();
    assertThat(model.pfnValid(pfn(high.range().start()))).isTrue();
  }
}
