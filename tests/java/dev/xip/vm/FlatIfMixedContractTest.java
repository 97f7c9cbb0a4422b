package dev.xip.vm;

class FlatIfMixedContractTest extends AbstractNormalFrameContract {
  @Override
  FrameStrategy strategy() {
    return FrameStrategy.FLAT_IF_MIXED;
  }
}
