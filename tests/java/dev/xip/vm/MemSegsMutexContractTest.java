package dev.xip.vm;

class MemSegsMutexContractTest extends AbstractNormalFrameContract {
  @Override
  FrameStrategy strategy() {
    return FrameStrategy.MEM_SEGS_MUTEX;
  }
}
