package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.base.Pfn;
import dev.xip.pagetable.S390x2008Layout;
import org.junit.jupiter.api.Test;

class RefcountPteBitContractTest extends AbstractNormalFrameContract {
  /** {@code _PAGE_NOREFCNT} of the mail of 9 January 2008. */
  private static final long NOREFCNT = 0x004;

  @Override
  FrameStrategy strategy() {
    return FrameStrategy.REFCOUNT_PTE_BIT;
  }

  @Test
  void vmInsertPfnSetsTheBitInMixedMappingsAlone() {
    long start = 0x10_0000;
    Pfn pfn = new Pfn(TestMachine.DEVICE >>> Pages.SHIFT);
    long mixed = TestMachine.PRIVATE;
    long linear = TestMachine.SHARED & ~VmaFlags.MIXEDMAP | VmaFlags.PFNMAP;
    try (TestMachine s390 = new TestMachine(S390x2008Layout.INSTANCE, strategy(), Rules.DEFAULT)) {
      for (long flags : new long[] {mixed, linear}) {
        AddressSpace space = s390.space("space");
        AddrRange range = AddrRange.ofLength(start, Pages.SIZE);
        TestMachine.map(space, new Vma(range, flags, s390.file("file", 1), 0));
        assertThat(space.insertPfn(start, pfn)).isEqualTo(Errno.OK);
        assertThat(TestMachine.entry(space, start) & NOREFCNT)
            .isEqualTo(flags == mixed ? NOREFCNT : 0);
        space.close();
        assertThat(s390.manager.badEntries().count()).isZero();
      }
    }
  }
}
