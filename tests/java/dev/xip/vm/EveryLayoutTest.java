package dev.xip.vm;

import static dev.xip.vm.TestMachine.PRIVATE;
import static dev.xip.vm.TestMachine.entry;
import static dev.xip.vm.TestMachine.map;
import static dev.xip.vm.TestMachine.read;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.host.HostFile;
import dev.xip.host.Sharing;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.PageRun;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Layouts;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.Region;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * A machine of each architecture that has a special bit, from the first fault to the last frame.
 */
class EveryLayoutTest {
  static final List<EntryLayout> LAYOUTS =
      Layouts.ALL.stream().filter(EntryLayout::hasSpecialBit).toList();

  private static final long REGION = 16L << 20;
  private static final int PAGES = 600;

  @TempDir Path folder;

  private record WholeFile(long size) implements Mappable {
    @Override
    public String name() {
      return "whole-file";
    }

    @Override
    public PageRun translate(long page) {
      return new PageRun((REGION >>> Pages.SHIFT) + page, PAGES - page);
    }
  }

  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void aFileIsReadThroughTablesOfItsOwnKindAndEveryFrameComesBack(EntryLayout layout)
      throws IOException {
    byte[] content = new byte[(int) (PAGES * Pages.SIZE)];
    new Random(1).nextBytes(content);
    try (PhysicalMemory memory = PhysicalMemory.boot(64L << 20, 8L << 20);
        HostFile host = HostFile.openReadOnly(Files.write(folder.resolve("data"), content))) {
      Region region = memory.claim("FILE", AddrRange.ofLength(REGION, content.length), true);
      memory.mapFile(region, 0, host, 0, content.length, Access.READ, Sharing.SHARED);
      MemoryManager manager = new MemoryManager(memory, layout);
      long framesAtBoot = memory.allocator().inUse();
      for (int round = 0; round < 2; round++) {
        try (AddressSpace space = manager.newAddressSpace("test")) {
          AddrRange range =
              space.map(MapRequest.shared(new WholeFile(content.length), Access.READ));
          byte[] read = new byte[content.length];
          new AddressReader(space)
              .copy(range.start(), MemorySegment.ofArray(read), 0, content.length);
          assertThat(read).isEqualTo(content);
          Census census = Census.of(space);
          assertThat(census.special()).isEqualTo(PAGES);
          assertThat(census.bad()).isZero();
          assertThat(census.tables()).isEqualTo(memory.allocator().inUse(FrameUse.TABLE));
          try (AddressSpace child = space.fork("child")) {
            assertThat(new AddressReader(child).getByte(range.start())).isEqualTo(content[0]);
          }
          space.protect(range, Access.NONE);
          assertThat(Census.of(space).special()).isEqualTo(PAGES);
          space.protect(range, Access.READ);
          assertThat(new AddressReader(space).getByte(range.end() - 1))
              .isEqualTo(content[content.length - 1]);
          assertThat(manager.badEntries().count()).isZero();
        }
        assertThat(memory.allocator().inUse()).isEqualTo(framesAtBoot);
      }
    }
  }

  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void aPageCanBeRunOnlyIfItsMappingCan(EntryLayout layout) {
    try (TestMachine machine = new TestMachine(layout, FrameStrategy.SPECIAL_BIT, Rules.DEFAULT);
        AddressSpace space = machine.space("test")) {
      long data = map(space, 0x10_0000, 1, PRIVATE, machine.file("data", 1));
      long code = map(space, 0x20_0000, 1, PRIVATE | VmaFlags.EXEC, machine.file("code", 1));
      read(space, data);
      read(space, code);
      assertThat(layout.isExecutable(entry(space, data))).isFalse();
      assertThat(layout.isExecutable(entry(space, code))).isTrue();
    }
  }
}
