package dev.xip.vm;

class FlatPfnValidContractTest extends AbstractNormalFrameContract {
  @Override
  FrameStrategy strategy() {
    return FrameStrategy.FLAT;
  }
}
