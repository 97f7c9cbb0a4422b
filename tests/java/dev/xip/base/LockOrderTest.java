package dev.xip.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.LockOrder.Rank;
import org.junit.jupiter.api.Test;

/**
 * The order of locks is checked while the tests run: none of the memory manager's own tests takes a
 * lock against it.
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
    RankedLock mappings = new RankedLock(Rank.FILE_MAPPINGS, "mappings");
    RankedLock map = new RankedLock(Rank.MAP, "map");
    long stamp = mappings.readLock();
    assertThatThrownBy(map::readLock)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("MAP taken while FILE_MAPPINGS is held");
    mappings.unlockRead(stamp);
    map.unlockWrite(map.writeLock());
  }

  @Test
  void aLockThatMayBlockIsNotTakenUnderASpinLock() {
    SpinLock entry = new SpinLock("entry lock", Rank.ENTRY);
    RankedLock map = new RankedLock(Rank.MAP, "the map lock of init");
    entry.lock();
    try {
      assertThatThrownBy(map::readLock)
          .isInstanceOf(SleepingInAtomicException.class)
          .hasMessageContainingAll("the map lock of init", "entry lock");
    } finally {
      entry.unlock();
    }
    map.unlockWrite(map.writeLock());
  }

  @Test
  void aLockThatIsOnlyTriedMayBeTakenOutwardsAndCountsAsHeld() {
    LockOrder.take(Rank.ENTRY);
    LockOrder.tried(Rank.PAGE);
    LockOrder.release(Rank.ENTRY);
    assertThatThrownBy(() -> LockOrder.take(Rank.MAP))
        .hasMessageContaining("MAP taken while PAGE is held");
    LockOrder.release(Rank.PAGE);
    LockOrder.take(Rank.MAP);
    LockOrder.release(Rank.MAP);
  }

  @Test
  void aChildsMapLockMayBeTakenUnderItsParents() {
    RankedLock parent = new RankedLock(Rank.MAP, "parent");
    RankedLock child = new RankedLock(Rank.MAP, "child");
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
