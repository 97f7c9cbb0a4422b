package dev.xip.vm;

class RefcountPteBitContractTest extends AbstractNormalFrameContract {
  @Override
  FrameStrategy strategy() {
    return FrameStrategy.REFCOUNT_PTE_BIT;
  }
}
