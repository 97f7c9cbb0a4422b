package dev.xip.vm;

class SortedArrayPfnValidContractTest extends AbstractNormalFrameContract {
  @Override
  FrameStrategy strategy() {
    return FrameStrategy.SORTED_ARRAY;
  }
}
