package dev.xip.vm;

import static dev.xip.vm.TestMachine.read;
import static dev.xip.vm.TestMachine.write;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.phys.FrameUse;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Anonymous memory that processes share behaves as shmem: counted frames that are found again. */
class SharedMemoryTest {
  private static final int PAGES = 4;

  private final TestMachine machine = new TestMachine();
  private final AddressSpace space = machine.space("parent");
  private AddrRange range;
  private AddressSpace child;

  @BeforeEach
  void mapAndFork() throws IOException {
    range =
        space.map(MapRequest.anonymous(PAGES * Pages.SIZE, Access.READ_WRITE).with(MapFlag.SHARED));
    child = machine.fork(space);
  }

  @AfterEach
  void everythingGoesBackToZero() {
    machine.close();
  }

  @Test
  void aStoreIsSeenByBothAndEachCountsThePage() {
    write(space, range.start(), 7);
    assertThat(read(child, range.start())).isEqualTo(7);
    write(child, range.start(), 8);
    assertThat(read(space, range.start())).isEqualTo(8);
    assertThat(space.fileFrames()).isEqualTo(1);
    assertThat(child.fileFrames()).isEqualTo(1);
    assertThat(space.anonymousFrames() + child.anonymousFrames()).isZero();
    assertThat(machine.memory.allocator().inUse(FrameUse.PAGE_CACHE)).isEqualTo(1);
    assertThat(space.find(range.start()).has(VmaFlags.MIXEDMAP)).isFalse();
    assertThat(SpaceMaps.smaps(space)).containsPattern("Shared_Dirty: +4 kB");
    machine.verify();
  }

  @Test
  void getUserPagesGivesTheSharedFrameOut() throws IOException {
    try (PinnedPages ours = space.getUserPages().pin(range.start(), 1, true, false);
        PinnedPages theirs = child.getUserPages().pin(range.start(), 1, false, false)) {
      assertThat(ours.frame(0)).isEqualTo(theirs.frame(0));
    }
  }

  @Test
  void aPageThatTheOtherTouchedIsInCore() throws IOException {
    write(child, range.start() + Pages.SIZE, 1);
    assertThat(space.inCore(range).stream()).containsExactly(1);
    assertThat(space.fileFrames()).isZero();
  }

  @Test
  void itCanBeLocked() throws IOException {
    space.lock(range);
    assertThat(space.find(range.start()).has(VmaFlags.LOCKED)).isTrue();
    assertThat(space.inCore(range).cardinality()).isEqualTo(PAGES);
    assertThat(child.inCore(range).cardinality()).isEqualTo(PAGES);
  }

  @Test
  void droppedPagesAreFoundAgainAndFreedWithTheLastMapping() throws IOException {
    write(space, range.start(), 7);
    space.advise(range, Advice.DONTNEED);
    assertThat(space.fileFrames()).isZero();
    assertThat(read(space, range.start())).isEqualTo(7);
    space.close();
    assertThat(read(child, range.start())).isEqualTo(7);
    child.close();
    assertThat(machine.memory.allocator().inUse(FrameUse.PAGE_CACHE)).isZero();
  }
}
