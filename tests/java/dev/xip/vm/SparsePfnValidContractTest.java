package dev.xip.vm;

class SparsePfnValidContractTest extends AbstractNormalFrameContract {
  @Override
  FrameStrategy strategy() {
    return FrameStrategy.SPARSE;
  }
}
