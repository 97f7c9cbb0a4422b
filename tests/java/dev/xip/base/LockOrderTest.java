package dev.xip.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.LockOrder.Rank;
import org.junit.jupiter.api.Test;

/**
 * The order of locks is checked while the tests run: whatever the memory manager's own tests do, no
 * lock is taken against it.
 */
class LockOrderTest {
  @Test
  void itIsCheckedInThisRun() {
    assertThat(LockOrder.CHECKED).as("-Dxip.check.locks=true").isTrue();
  }

  @Test
  void locksMayBeTakenInwards() {
    for (Rank rank : Rank.values()) {
      LockOrder.take(rank);
    }
    for (Rank rank : Rank.values()) {
      LockOrder.release(rank);
    }
  }

  @Test
  void aLockTakenOutwardsIsNamedWithTheOneThatIsHeld() {
    SpinLock entry = new SpinLock("entry lock", Rank.ENTRY);
    RankedLock map = new RankedLock(Rank.MAP);
    entry.lock();
    try {
      assertThatThrownBy(map::readLock)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("MAP taken while ENTRY is held");
    } finally {
      entry.unlock();
    }
    map.unlockWrite(map.writeLock());
  }

  @Test
  void aChildsMapLockMayBeTakenUnderItsParents() {
    RankedLock parent = new RankedLock(Rank.MAP);
    RankedLock child = new RankedLock(Rank.MAP);
    long outer = parent.writeLock();
    child.unlockWrite(child.writeLock());
    parent.unlockWrite(outer);
  }

  @Test
  void nothingIsTakenUnderALeaf() {
    SpinLock zone = new SpinLock("zone lock");
    SpinLock other = new SpinLock("bad entries");
    zone.lock();
    try {
      assertThatThrownBy(other::lock).hasMessageContaining("LEAF taken while LEAF is held");
    } finally {
      zone.unlock();
    }
  }
}
