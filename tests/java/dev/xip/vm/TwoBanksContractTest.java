package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.phys.RamBanks;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The contract of those strategies that are right about a segment between two banks of RAM. */
class TwoBanksContractTest {
  /** The frame that entries are made for lies in bank 2, the segment in the hole. */
  abstract static class TwoBanks extends AbstractNormalFrameContract {
    @Override
    RamBanks banks() {
      long second = 768 * FrameFixture.MIB;
      return RamBanks.of(
          new AddrRange(0, 2 * Pages.SIZE), new AddrRange(second, second + 4 * FrameFixture.MIB));
    }

    @Test
    void theSegmentLiesBelowTheFramesOfBankTwo() {
      assertThat(FrameFixture.SEGMENT_PFN).isLessThan(machine.frame);
      assertThat(machine.memory.frames().isRam(machine.frame)).isTrue();
      assertThat(machine.memory.frames().isRam(FrameFixture.SEGMENT_PFN)).isFalse();
      assertThat(machine.manager.pfnValid(FrameFixture.SEGMENT_PFN)).isFalse();
    }
  }

  @Nested
  class SpecialBit extends TwoBanks {
    @Override
    FrameStrategy strategy() {
      return FrameStrategy.SPECIAL_BIT;
    }
  }

  @Nested
  class RefcountPteBit extends TwoBanks {
    @Override
    FrameStrategy strategy() {
      return FrameStrategy.REFCOUNT_PTE_BIT;
    }
  }

  @Nested
  class MemSegsMutex extends TwoBanks {
    @Override
    FrameStrategy strategy() {
      return FrameStrategy.MEM_SEGS_MUTEX;
    }
  }

  @Nested
  class MemSegsSpinLock extends TwoBanks {
    @Override
    FrameStrategy strategy() {
      return FrameStrategy.MEM_SEGS_SPIN_LOCK;
    }
  }

  @Nested
  class RefcountPfn extends TwoBanks {
    @Override
    FrameStrategy strategy() {
      return FrameStrategy.REFCOUNT_PFN;
    }
  }

  @Nested
  class SortedArray extends TwoBanks {
    @Override
    FrameStrategy strategy() {
      return FrameStrategy.SORTED_ARRAY;
    }
  }

  /** Right as long as the hole has sections of its own. */
  @Nested
  class Sparse extends TwoBanks {
    @Override
    FrameStrategy strategy() {
      return FrameStrategy.SPARSE;
    }
  }
}
