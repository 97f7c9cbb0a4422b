package dev.xip.phys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.AtomicContext;
import dev.xip.base.LockOrder;
import dev.xip.base.SleepingInAtomicException;
import dev.xip.base.SpinLock;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class IntendedModelTest {
  /** The list under either lock. */
  abstract static class AnyLock extends AbstractMemoryModelContract {}

  @Nested
  class UnderTheMutex extends AnyLock {
    @Override
    MemoryModel newModel(long maxPfn) {
      return new IntendedModel(maxPfn, ListLock.MUTEX);
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
            .hasMessageContainingAll("vmem_mutex", "entry lock");
      } finally {
        lock.unlock();
      }
      AtomicContext.mightSleep("nothing is held");
      assertThat(model.pfnValid(1)).isTrue();
    }
  }

  @Nested
  class UnderTheSpinLock extends AnyLock {
    @Override
    MemoryModel newModel(long maxPfn) {
      return new IntendedModel(maxPfn, ListLock.SPIN_LOCK);
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
}
