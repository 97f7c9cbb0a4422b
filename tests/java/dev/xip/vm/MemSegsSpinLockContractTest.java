package dev.xip.vm;

class MemSegsSpinLockContractTest extends AbstractNormalFrameContract {
  @Override
  FrameStrategy strategy() {
    return FrameStrategy.MEM_SEGS_SPIN_LOCK;
  }
}
