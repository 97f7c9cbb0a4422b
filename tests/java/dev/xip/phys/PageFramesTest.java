package dev.xip.phys;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.host.HostException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The lock word of a table: free, held, or sealed, which is free as well. */
class PageFramesTest {
  private final PhysicalMemory memory;
  private final PageFrames frames;
  private final long pfn;

  PageFramesTest() throws HostException {
    memory = PhysicalMemory.boot(1L << 20, 1L << 20);
    frames = memory.frames();
    pfn = memory.allocator().allocate(FrameUse.TABLE);
  }

  @AfterEach
  void close() {
    memory.close();
  }

  @Test
  void aSealStaysUntilTheLockIsTaken() {
    frames.seal(pfn);
    assertThat(frames.isSealed(pfn)).isTrue();
    assertThat(frames.tryLock(pfn)).isTrue();
    assertThat(frames.isSealed(pfn)).isFalse();
    assertThat(frames.tryLock(pfn)).isFalse();
    frames.unlock(pfn);
    assertThat(frames.isSealed(pfn)).isFalse();
    assertThat(frames.unseal(pfn)).isFalse();
  }

  @Test
  void aSealIsBrokenOnce() {
    frames.seal(pfn);
    assertThat(frames.unseal(pfn)).isTrue();
    assertThat(frames.unseal(pfn)).isFalse();
    assertThat(frames.tryLock(pfn)).isTrue();
  }

  @Test
  void whatIsLockedIsNotSealed() {
    frames.tryLock(pfn);
    frames.seal(pfn);
    assertThat(frames.isSealed(pfn)).isFalse();
    assertThat(frames.unseal(pfn)).isFalse();
    frames.unlock(pfn);
    assertThat(frames.tryLock(pfn)).isTrue();
  }
}
