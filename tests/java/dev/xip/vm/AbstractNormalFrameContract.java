package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Pages;
import dev.xip.phys.FrameUse;
import dev.xip.phys.RamBanks;
import dev.xip.testing.Allocations;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The answers of every strategy on the entries of a healthy machine. */
abstract class AbstractNormalFrameContract {
  FrameFixture machine;

  abstract FrameStrategy strategy();

  RamBanks banks() {
    return RamBanks.of(4 * FrameFixture.MIB);
  }

  @BeforeEach
  void boot() throws IOException {
    machine = new FrameFixture(strategy(), banks());
  }

  @AfterEach
  void close() {
    machine.close();
  }

  private long judge(Vma vma, long pte) {
    return machine.manager.normalFrame(vma, FrameFixture.START + 5 * Pages.SIZE, pte);
  }

  private void assertNoFrame(Vma vma, long pte) {
    assertThat(judge(vma, pte)).isEqualTo(MemoryManager.NO_FRAME);
    assertThat(machine.manager.badEntries().lines()).isEmpty();
  }

  private void assertFrame(Vma vma, long pfn) {
    assertThat(judge(vma, FrameFixture.normal(pfn))).isEqualTo(pfn);
    assertThat(machine.manager.badEntries().lines()).isEmpty();
  }

  @Test
  void aPageOfASegmentHasNoFrame() {
    assertNoFrame(machine.mixed(), machine.raw(FrameFixture.SEGMENT_PFN + 5));
  }

  @Test
  void aPrivateCopyAmongPagesOfASegmentIsAFrame() {
    assertFrame(machine.mixed(), machine.frame);
  }

  @Test
  void theSparsePageIsAFrame() {
    assertFrame(machine.mixed(), machine.manager.sparsePfn());
  }

  @Test
  void ordinaryMemoryIsAFrame() {
    assertFrame(machine.ordinary(), machine.frame);
  }

  @Test
  void aPageOfThePageCacheIsAFrame() {
    long pfn = machine.memory.allocator().allocate(FrameUse.PAGE_CACHE);
    assertFrame(machine.ordinary(), pfn);
  }

  @Test
  void theZeroPageIsNotCounted() {
    assertNoFrame(machine.ordinary(), machine.raw(machine.manager.zeroPfn()));
  }

  @Test
  void aLinearMapOfFrameNumbersHasNoFrames() {
    Vma map = machine.vma(FrameFixture.COW | VmaFlags.PFNMAP, FrameFixture.SEGMENT_PFN);
    assertNoFrame(map, machine.raw(FrameFixture.SEGMENT_PFN + 5));
    Vma ofRam = machine.vma(FrameFixture.SHARED | VmaFlags.PFNMAP, 0);
    assertNoFrame(ofRam, machine.raw(machine.frame));
  }

  @Test
  void aPrivateCopyInALinearMapIsAFrame() {
    assertFrame(
        machine.vma(FrameFixture.COW | VmaFlags.PFNMAP, FrameFixture.SEGMENT_PFN), machine.frame);
  }

  @Test
  void aNumberBeyondTheMemMapIsReportedAndNotFollowed() {
    long pfn = machine.manager.highestPfn() + 1;
    assertThat(judge(machine.ordinary(), FrameFixture.normal(1L << 39)))
        .isEqualTo(MemoryManager.NO_FRAME);
    assertThat(judge(machine.ordinary(), FrameFixture.normal(pfn + 1000)))
        .isEqualTo(MemoryManager.NO_FRAME);
    assertThat(judge(machine.ordinary(), FrameFixture.normal(pfn)))
        .isEqualTo(MemoryManager.NO_FRAME);
    assertThat(machine.manager.badEntries().count()).isEqualTo(3);
  }

  @Test
  void aDecisionAllocatesNothing() {
    Vma mixed = machine.mixed();
    Vma ordinary = machine.ordinary();
    long raw = machine.raw(FrameFixture.SEGMENT_PFN + 5);
    long normal = FrameFixture.normal(machine.frame);
    long allocated =
        Allocations.ofCompiled(
            () -> {
              for (int i = 0; i < 1000; i++) {
                judge(mixed, raw);
                judge(mixed, normal);
                judge(ordinary, normal);
              }
            });
    assertThat(allocated).isZero();
  }
}
