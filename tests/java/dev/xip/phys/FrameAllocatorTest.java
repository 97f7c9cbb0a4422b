package dev.xip.phys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Pages;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Frames of a machine with sixteen of them. */
class FrameAllocatorTest {
  private PhysicalMemory memory;
  private FrameAllocator allocator;

  @BeforeEach
  void boot() throws IOException {
    memory = PhysicalMemory.boot(1 << 20, 16 * Pages.SIZE);
    allocator = memory.allocator();
  }

  @AfterEach
  void close() {
    memory.close();
  }

  @Test
  void everyFrameIsHandedOutOnce() {
    Set<Long> frames = new HashSet<>();
    for (int i = 0; i < 16; i++) {
      assertThat(frames.add(allocator.allocate(FrameUse.ANONYMOUS))).isTrue();
    }
    assertThat(allocator.allocate(FrameUse.ANONYMOUS)).isEqualTo(-1);
    assertThat(allocator.available()).isZero();
  }

  @Test
  void aFrameUsedBeforeComesBackAsZeros() {
    long pfn = allocator.allocate(FrameUse.ANONYMOUS);
    memory.ram().set(ValueLayout.JAVA_LONG, pfn << Pages.SHIFT, -1L);
    allocator.put(pfn);
    assertThat(allocator.allocate(FrameUse.TABLE)).isEqualTo(pfn);
    assertThat(memory.ram().get(ValueLayout.JAVA_LONG, pfn << Pages.SHIFT)).isZero();
  }

  @Test
  void aFrameForWhoWritesAllOfItComesBackAsItWasLeft() {
    long pfn = allocator.allocate(FrameUse.ANONYMOUS);
    memory.ram().set(ValueLayout.JAVA_LONG, pfn << Pages.SHIFT, -1L);
    allocator.put(pfn);
    assertThat(allocator.allocateUncleared(FrameUse.TABLE)).isEqualTo(pfn);
    assertThat(memory.frames().references(pfn)).isEqualTo(1);
    assertThat(allocator.inUse(FrameUse.TABLE)).isEqualTo(1);
    assertThat(memory.ram().get(ValueLayout.JAVA_LONG, pfn << Pages.SHIFT)).isEqualTo(-1);
  }

  @Test
  void aFrameIsFreeOnlyWithItsLastReference() {
    long pfn = allocator.allocate(FrameUse.PAGE_CACHE);
    memory.frames().get(pfn);
    assertThat(allocator.put(pfn)).isFalse();
    assertThat(allocator.inUse(FrameUse.PAGE_CACHE)).isEqualTo(1);
    assertThat(allocator.put(pfn)).isTrue();
    assertThat(allocator.inUse()).isZero();
  }

  @Test
  void aRunIsContiguousAndCountsAllItsFrames() {
    allocator.allocate(FrameUse.ANONYMOUS);
    long run = allocator.allocateRun(FrameUse.TABLE, 4);
    assertThat(allocator.inUse(FrameUse.TABLE)).isEqualTo(4);
    assertThat(memory.frames().use(run + 3)).isEqualTo(FrameUse.TABLE);
    assertThat(memory.frames().references(run)).isEqualTo(1);
    assertThat(memory.frames().references(run + 3)).isZero();
    assertThat(allocator.allocate(FrameUse.ANONYMOUS)).isEqualTo(run + 4);
  }

  @Test
  void aFreedRunComesBackWholeAndAsZeros() {
    long run = allocator.allocateRun(FrameUse.TABLE, 4);
    memory.ram().set(ValueLayout.JAVA_LONG, (run + 3) << Pages.SHIFT, -1L);
    assertThat(allocator.put(run)).isTrue();
    assertThat(allocator.inUse()).isZero();
    assertThat(allocator.allocate(FrameUse.ANONYMOUS)).isEqualTo(run + 4);
    assertThat(allocator.allocateRun(FrameUse.TABLE, 4)).isEqualTo(run);
    assertThat(memory.ram().get(ValueLayout.JAVA_LONG, (run + 3) << Pages.SHIFT)).isZero();
  }

  @Test
  void aFreeRunIsCutUpWhenSingleFramesHaveRunOut() {
    allocator.put(allocator.allocateRun(FrameUse.TABLE, 4));
    everyFrameIsHandedOutOnce();
    assertThat(allocator.allocateRun(FrameUse.TABLE, 4)).isEqualTo(-1);
  }

  @Test
  void neighboursBecomeARunWhenRamHasRunOut() {
    everyFrameIsHandedOutOnce();
    for (long pfn : new long[] {3, 8, 1, 7, 6, 2, 5}) {
      allocator.put(pfn);
    }
    assertThat(allocator.allocateRun(FrameUse.TABLE, 4)).isEqualTo(5);
    assertThat(allocator.allocateRun(FrameUse.TABLE, 4)).isEqualTo(-1);
    assertThat(allocator.available()).isEqualTo(3);
    allocator.put(5);
    for (int i = 0; i < 7; i++) {
      assertThat(allocator.allocate(FrameUse.ANONYMOUS)).isBetween(1L, 8L);
    }
  }

  @Test
  void countsThatWouldGoWrongThrow() {
    long pfn = allocator.allocate(FrameUse.ANONYMOUS);
    assertThat(memory.frames().removeMapping(pfn)).as("no entry was counted").isFalse();
    assertThat(memory.frames().mappings(pfn)).isZero();
    memory.frames().setReferences(pfn, 0);
    assertThatThrownBy(() -> allocator.put(pfn)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> memory.frames().get(pfn)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aPageFrameOutsideRamDoesNotExist() {
    assertThatThrownBy(() -> memory.frames().get(16))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("pfn 0x10");
  }
}
