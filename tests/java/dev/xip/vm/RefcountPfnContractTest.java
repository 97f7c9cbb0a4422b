package dev.xip.vm;

class RefcountPfnContractTest extends AbstractNormalFrameContract {
  @Override
  FrameStrategy strategy() {
    return FrameStrategy.REFCOUNT_PFN;
  }
}
