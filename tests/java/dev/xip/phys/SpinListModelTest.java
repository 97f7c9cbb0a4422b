package dev.xip.phys;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.AtomicContext;
import dev.xip.base.LockOrder;
import dev.xip.base.SpinLock;
import org.junit.jupiter.api.Test;

class SpinListModelTest extends AbstractMemoryModelContract {
  @Override
  MemoryModel newModel(long maxPfn) {
    return new SpinListModel(maxPfn);
  }

  @Override
  boolean goesBySegments() {
    return true;
  }

  @Test
  void aLookUpUnderASpinLockIsLegal() {
    memory.attach(model);
    SpinLock lock = new SpinLock("entry lock", LockOrder.Rank.ENTRY);
    lock.lock();
    try {
      assertThat(model.pfnValid(1)).isTrue();
    } finally {
      lock.unlock();
    }
    AtomicContext.mightSleep("nothing is held");
  }
}
