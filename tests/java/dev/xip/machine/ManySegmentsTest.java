package dev.xip.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import dev.xip.measure.ContiguousFile;
import dev.xip.segment.SavedSegment;
import dev.xip.segment.SegmentDefinition;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentPart;
import dev.xip.segment.SegmentSource;
import dev.xip.segment.SegmentState;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.SegmentType;
import dev.xip.segment.SharingMode;
import dev.xip.testing.Folders;
import dev.xip.vm.AddressReader;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.MapRequest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Many segments in one store and one memory: 1,000 defined and 200 loaded, with {@code
 * -Dxip.stress=true} 10,000 and 1,000.
 */
class ManySegmentsTest {
  private static final boolean STRESS = Boolean.getBoolean("xip.stress");
  private static final int DEFINED = STRESS ? 10_000 : 1000;
  private static final int LOADED = STRESS ? 1000 : 200;
  private static final long MEGABYTE_PAGES = (1L << 20) >>> Pages.SHIFT;

  /** In /dev/shm, if it has room: fsync of tens of thousands of files takes minutes. */
  @TempDir(factory = Folders.InMemory.class)
  Path folder;

  private SegmentStore store;

  @BeforeEach
  void define() throws IOException {
    store = SegmentStore.create(folder.resolve("store"));
    Path contents = folder.resolve("contents");
    for (int i = 0; i < DEFINED; i++) {
      ByteBuffer number = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(i);
      Files.write(contents, number.array());
      long first = (SegmentStore.FIRST_PLACE >>> Pages.SHIFT) + i * MEGABYTE_PAGES;
      store.define(
          SegmentDefinition.of(name(i), List.of(SegmentPart.of(SegmentType.SR, first, first))),
          SegmentSource.copyOf(contents, _ -> {}));
    }
  }

  private static SegmentName name(int number) throws IOException {
    return SegmentName.of("S" + number);
  }

  @Test
  void eachOfManyLoadedSegmentsIsReadAndCounted() throws IOException {
    long window = SegmentStore.FIRST_PLACE + ((long) DEFINED << 20);
    MachineConfig config = MachineConfig.DEFAULT.withWindow(window).withRam(64L << 20);
    try (Machine machine = Machine.boot(config, store)) {
      long frames = machine.framesInUse();
      List<SavedSegment> loaded = new ArrayList<>();
      for (int i = 0; i < LOADED; i++) {
        // Spread over the store, not in order of address.
        int number = (int) (i * 7919L % DEFINED);
        loaded.add(machine.segments().load(name(number), SharingMode.SHARED));
      }
      try (AddressSpace space = machine.memoryManager().newAddressSpace("reader")) {
        AddressReader reader = new AddressReader(space);
        for (SavedSegment each : loaded) {
          long start =
              space.map(MapRequest.shared(ContiguousFile.of(each.range()), Access.READ)).start();
          assertThat(reader.getLong(start))
              .isEqualTo(Long.parseLong(each.name().value().substring(1)));
        }
        assertThat(machine.framesInUse()).isEqualTo(frames);
        assertThat(machine.verify()).isEmpty();
      }
      List<SegmentState> states = store.survey().segments();
      assertThat(states).hasSize(DEFINED);
      assertThat(states.stream().filter(state -> state.users().size() == 1)).hasSize(LOADED);
    }
    assertThat(store.survey().segments()).allMatch(state -> state.users().isEmpty());
    assertThat(store.check()).isEmpty();
    assertThat(store.clean()).isEmpty();
  }
}
