package dev.xip.vm;

class SpecialBitContractTest extends AbstractNormalFrameContract {
  @Override
  FrameStrategy strategy() {
    return FrameStrategy.SPECIAL_BIT;
  }
}
