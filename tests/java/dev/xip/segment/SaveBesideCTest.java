package dev.xip.segment;

import static dev.xip.segment.SegmentProgram.field;
import static dev.xip.segment.SegmentStoreTest.definition;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Pages;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** C programs load and unload a segment while Java saves, removes and defines it. */
class SaveBesideCTest {
  private static final int CHANGES = 120;
  private static final int PROGRAMS = 3;
  private static final int PAGES = 16;
  private static final SegmentName A = new SegmentName("A");

  @TempDir Path temp;

  /** The sums of all contents that there ever were, each known before it is saved. */
  private final Set<String> sums = ConcurrentHashMap.newKeySet();

  private final AtomicBoolean over = new AtomicBoolean();

  /** Contents that are the same number throughout, so that no two of them can mix unseen. */
  private SegmentSource contents(int number) throws IOException {
    byte[] bytes = new byte[(int) (PAGES * Pages.SIZE)];
    Arrays.fill(bytes, (byte) number);
    sums.add("ok %016x".formatted(JavaSegmentProgram.checksum(MemorySegment.ofArray(bytes))));
    Path file = Files.write(Files.createTempFile(temp, "source", ".img"), bytes);
    return SegmentSource.moving(file);
  }

  /** Loads and unloads until all is over; returns how many different versions it had. */
  private int comeAndGo(SegmentProgram c) throws IOException {
    Set<String> versions = ConcurrentHashMap.newKeySet();
    for (int i = 0; !over.get(); i++) {
      String told = c.ask("load A " + (i % 3 == 0 ? "exclusive" : "shared"));
      if (told.startsWith("ok")) {
        versions.add(field(told, "version"));
        assertThat(c.ask("sum A")).isIn(sums);
        c.must("unload A");
      } else {
        assertThat(told).startsWith("failed ENOENT: ENOENT: segment A: expected a segment of");
      }
    }
    return versions.size();
  }

  @Test
  void loadsGetWholeVersionsAndLeaveNothingBehind() throws Exception {
    SegmentStore store = SegmentStore.create(temp.resolve("store"));
    SegmentDefinition definition = definition(A, SegmentType.SR, 0x100000, PAGES);
    StoredSegment last = store.define(definition, contents(0));
    List<SegmentProgram> programs = new ArrayList<>();
    List<Future<Integer>> versions = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(PROGRAMS)) {
      for (int i = 0; i < PROGRAMS; i++) {
        SegmentProgram c = SegmentProgram.inC(store.folder());
        programs.add(c);
        versions.add(threads.submit(() -> comeAndGo(c)));
      }
      for (int change = 1; change <= CHANGES; change++) {
        if (change % 5 == 0) {
          store.remove(A);
          last = store.define(definition, contents(change));
        } else {
          last = store.save(A, contents(change));
        }
      }
      over.set(true);
      for (Future<Integer> each : versions) {
        assertThat(each.get()).as("versions that one program saw").isPositive();
      }
      for (SegmentProgram each : programs) {
        each.leave();
      }
    } finally {
      over.set(true);
      for (SegmentProgram each : programs) {
        each.close();
      }
    }
    assertThat(store.check()).isEmpty();
    try (Stream<Path> files = Files.list(store.folder())) {
      assertThat(files.map(each -> each.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "A.def", "A.%d.data".formatted(last.version()), StoreFile.LOCK);
    }
  }
}
