package dev.xip.phys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.AtomicContext;
import dev.xip.base.SleepingInAtomicException;
import dev.xip.base.SpinLock;
import org.junit.jupiter.api.Test;

class MutexListModelTest extends AbstractMemoryModelContract {
  @Override
  MemoryModel newModel(long maxPfn) {
    return new MutexListModel(maxPfn);
  }

  @Override
  boolean goesBySegments() {
    return true;
  }

  /** Objection a, even when the mutex is free. */
  @Test
  void aLookUpUnderASpinLockSleepsInAtomicContext() {
    memory.attach(model);
    SpinLock lock = new SpinLock("entry lock");
    lock.lock();
    try {
      assertThatThrownBy(() -> model.pfnValid(1))
          .isInstanceOf(SleepingInAtomicException.class)
          .hasMessageContainingAll("mutex of the segment list", "entry lock");
    } finally {
      lock.unlock();
    }
    AtomicContext.mightSleep("nothing is held");
    assertThat(model.pfnValid(1)).isTrue();
  }
}
