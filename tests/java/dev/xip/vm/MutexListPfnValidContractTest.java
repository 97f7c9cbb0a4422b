package dev.xip.vm;

class MutexListPfnValidContractTest extends AbstractNormalFrameContract {
  @Override
  FrameStrategy strategy() {
    return FrameStrategy.LIST_MUTEX;
  }
}
