package dev.xip.vm;

class RefcountCallbacksContractTest extends AbstractNormalFrameContract {
  @Override
  FrameStrategy strategy() {
    return FrameStrategy.REFCOUNT_CALLBACKS;
  }
}
