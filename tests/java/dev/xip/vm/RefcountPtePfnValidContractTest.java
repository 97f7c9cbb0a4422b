package dev.xip.vm;

class RefcountPtePfnValidContractTest extends AbstractNormalFrameContract {
  @Override
  FrameStrategy strategy() {
    return FrameStrategy.REFCOUNT_PTE_PFN_VALID;
  }
}
