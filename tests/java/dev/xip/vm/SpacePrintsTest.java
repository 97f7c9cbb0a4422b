package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import dev.xip.file.MemoryFile;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The printed forms of an address space. */
class SpacePrintsTest {
  private static final long START = 0x4000_0000;

  private final TestMachine machine = new TestMachine(Rules.DEFAULT.withFaultAround(1));
  private final MemoryFile file = machine.file("library.so", 4);
  private final AddressSpace space = machine.space("shell");

  @AfterEach
  void nothingIsLeft() {
    machine.close();
  }

  private void touchThreePagesAndStoreIntoOne() throws IOException {
    space.map(MapRequest.privately(file, Access.READ_WRITE).at(START));
    for (int page = 0; page < 3; page++) {
      TestMachine.read(space, START + page * Pages.SIZE);
    }
    TestMachine.write(space, START + 2 * Pages.SIZE, 1);
  }

  @Test
  void smapsCountsSpecialPagesApartFromThoseWithFrames() throws IOException {
    touchThreePagesAndStoreIntoOne();
    assertThat(SpaceMaps.smaps(space))
        .isEqualTo(
            """
            000040000000-000040004000 rw-p 00000000 library.so
            Size:                 16 kB
            Rss:                   4 kB
            Pss:                   4 kB
            Special:               8 kB
            Shared_Clean:          0 kB
            Shared_Dirty:          0 kB
            Private_Clean:         0 kB
            Private_Dirty:         4 kB
            Anonymous:             4 kB
            VmFlags: rd wr mr mw me ac mm
            """);
  }

  @Test
  void aCopySharedWithAChildIsShared() throws IOException {
    touchThreePagesAndStoreIntoOne();
    try (AddressSpace child = space.fork("child")) {
      assertThat(SpaceMaps.smaps(child))
          .contains("Shared_Dirty:          4 kB", "Private_Dirty:         0 kB");
    }
  }

  @Test
  void theDumpShowsRunsOfEntriesAndSaysWhatTheyAre() throws IOException {
    touchThreePagesAndStoreIntoOne();
    long first = file.translate(0).pfn();
    long copy = machine.manager.layout().pfn(TestMachine.entry(space, START + 2 * Pages.SIZE));
    assertThat(PageTableDump.of(space).lines())
        .containsExactly(
            "shell: x86-64, 4 levels, root at pfn 0x%x, 4 tables".formatted(space.table().root()),
            "000040000000-000040002000 PTE     2 x 8%015x pfn 0x%x special: %s"
                .formatted(first << 12 | 0x225, first, "PRESENT USER ACCESSED SPECIAL NX"),
            "000040002000-000040003000 PTE     1 x 8%015x pfn 0x%x normal: %s"
                .formatted(copy << 12 | 0x67, copy, "PRESENT RW USER ACCESSED DIRTY NX"));
  }

  @Test
  void anEmptySpaceHasARootAlone() {
    assertThat(SpaceMaps.smaps(space)).isEmpty();
    assertThat(PageTableDump.of(space).lines()).hasSize(1);
  }
}
