package dev.xip.vm;

class SpinListPfnValidContractTest extends AbstractNormalFrameContract {
  @Override
  FrameStrategy strategy() {
    return FrameStrategy.LIST_SPIN_LOCK;
  }
}
