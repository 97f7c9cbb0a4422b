package dev.xip.segment;

import static dev.xip.segment.SegmentStoreTest.definition;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Pages;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.Region;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A store, a machine and a loader, with proof after each test that nothing stays mapped. */
abstract class LoaderFixture {
  static final long WINDOW = 16L << 30;
  static final long RAM = 16L << 20;
  static final long PLACE = 0x100000;

  static final SegmentName A = new SegmentName("A");
  static final SegmentName B = new SegmentName("B");

  @TempDir Path temp;
  SegmentStore store;
  PhysicalMemory memory;
  SegmentLoader loader;
  List<Region> atBoot;

  @BeforeEach
  void boot() throws IOException {
    store = SegmentStore.create(temp.resolve("store"));
    memory = PhysicalMemory.boot(WINDOW, RAM);
    loader = new SegmentLoader(store, memory);
    atBoot = memory.regions();
  }

  @AfterEach
  void nothingStaysMapped() throws IOException {
    for (SavedSegment each : loader.loaded()) {
      for (int left = each.references(); left > 0; left--) {
        loader.unload(each.name());
      }
    }
    assertUntouched();
    memory.close();
  }

  void assertUntouched() throws IOException {
    assertThat(loader.loaded()).isEmpty();
    assertThat(memory.regions()).isEqualTo(atBoot);
    assertThat(Files.readAllLines(Path.of("/proc/self/maps")))
        .noneMatch(line -> line.contains(store.folder().toString()));
  }

  StoredSegment define(SegmentName name, SegmentType type, long page, long pages)
      throws SegmentException {
    return store.define(definition(name, type, page, pages), SegmentSource.zeros());
  }

  StoredSegment defineBytes(SegmentName name, SegmentType type, byte[] bytes) throws IOException {
    Path source = Files.write(Files.createTempFile(temp, "source", ".img"), bytes);
    return store.define(
        definition(name, type, PLACE, Pages.covering(bytes.length)),
        SegmentSource.copyOf(source, done -> {}));
  }

  static MemorySegment bytes(PhysicalMemory memory, SavedSegment loaded) {
    MemorySegment bytes = memory.window().asSlice(loaded.range().start(), loaded.range().length());
    return loaded.type().isWritable(loaded.mode()) ? PhysicalMemory.storable(bytes) : bytes;
  }

  static byte get(MemorySegment mem, long offset) {
    return mem.get(ValueLayout.JAVA_BYTE, offset);
  }

  static void set(MemorySegment mem, long offset, int value) {
    mem.set(ValueLayout.JAVA_BYTE, offset, (byte) value);
  }
}
