package dev.xip.segment;

import static dev.xip.segment.StoreChange.A;
import static dev.xip.segment.StoreChange.B;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Pages;
import dev.xip.phys.PhysicalMemory;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Checks that a store survived an interrupted {@link StoreChange}: it opens, lists and loads, A has
 * the contents of before or of after, the file that was to be moved is still somewhere, and the
 * next writer does its work and cleans up.
 */
final class StoreJudge {
  private static final byte[] NEXT = StoreChange.contents(4, StoreChange.PAGES * (int) Pages.SIZE);

  private final StoreChange change;
  private final Path root;
  private final PhysicalMemory memory;
  private final SegmentStore store;

  StoreJudge(StoreChange change, Path root, PhysicalMemory memory) throws SegmentException {
    this.change = change;
    this.root = root;
    this.memory = memory;
    this.store = SegmentStore.open(StoreChange.store(root));
  }

  /** Requires the segment as it was before the change or, if that has returned, as it is after. */
  void requireWhole(boolean returned) throws IOException {
    SegmentStore.Listing listing = store.list();
    assertThat(listing.damaged()).isEmpty();
    Set<SegmentName> names =
        listing.segments().stream().map(StoredSegment::name).collect(Collectors.toSet());
    assertThat(names).contains(B).isSubsetOf(A, B);
    assertThat(what(load(B))).isEqualTo("that of the bystander");
    String found = names.contains(A) ? what(load(A)) : what(null);
    String before = what(change.before().orElse(null));
    String between = what(change.between().orElse(null));
    String after = what(change.after().orElse(null));
    if (returned) {
      assertThat(found).as("contents after it returned").isEqualTo(after);
    } else {
      assertThat(found).as("contents").isIn(before, between, after);
    }
    if (change.moves() && !found.equals(after)) {
      assertThat(StoreChange.source(root)).as("the file that was to be moved").exists();
    }
  }

  /** Lets the next writer do its work. */
  void requireNextWriter() throws IOException {
    Path next = Files.write(root.resolve("next"), NEXT);
    SegmentSource source = SegmentSource.copyOf(next, done -> {});
    if (store.list().segments().stream().anyMatch(each -> each.name().equals(A))) {
      store.save(A, source);
    } else {
      store.define(StoreChange.definition(A), source);
    }
    assertThat(what(load(A))).isEqualTo("that of the next writer");
  }

  /** Requires that the store has no file that is not needed. */
  void requireClean() throws IOException {
    Set<String> expected = new TreeSet<>(Set.of("A.def", "B.def", "B.1.data", StoreFile.LOCK));
    expected.add(store.query(A).dataFile().getFileName().toString());
    try (Stream<Path> files = Files.list(store.folder())) {
      assertThat(files.map(each -> each.getFileName().toString()))
          .containsExactlyInAnyOrderElementsOf(expected);
    }
    assertThat(store.check()).isEmpty();
  }

  /** Requires that a user of version 1 still has it, on the disk as well, and unloads it. */
  void requireKept(SegmentLoader user) throws SegmentException {
    assertThat(what(bytes(user, user.loaded().getFirst()))).isEqualTo("that of before");
    SegmentUser me = new SegmentUser(ProcessHandle.current().pid(), SharingMode.SHARED);
    assertThat(store.survey().segments().stream().filter(SegmentState::pendingPurge))
        .singleElement()
        .satisfies(pending -> assertThat(pending.stored().version()).isEqualTo(1))
        .satisfies(pending -> assertThat(pending.users()).containsExactly(me));
    user.unload(A);
  }

  private byte[] load(SegmentName name) throws SegmentException {
    SegmentLoader loader = new SegmentLoader(store, memory);
    byte[] bytes = bytes(loader, loader.load(name, SharingMode.SHARED));
    loader.unload(name);
    return bytes;
  }

  private static byte[] bytes(SegmentLoader loader, SavedSegment segment) {
    return loader
        .memory()
        .window()
        .asSlice(segment.range().start(), segment.range().length())
        .toArray(ValueLayout.JAVA_BYTE);
  }

  /** Names contents, so that what differs can be read. */
  private String what(byte[] bytes) {
    if (bytes == null) {
      return "no segment";
    }
    if (Arrays.equals(bytes, StoreChange.OLD)) {
      return "that of before";
    }
    if (Arrays.equals(bytes, change.after().orElse(null))) {
      return "that of after";
    }
    if (Arrays.equals(bytes, change.between().orElse(null))) {
      return "that of between";
    }
    if (Arrays.equals(bytes, NEXT)) {
      return "that of the next writer";
    }
    if (Arrays.equals(bytes, StoreChange.BYSTANDER)) {
      return "that of the bystander";
    }
    return "a mixture of 0x%x bytes, crc %08x".formatted(bytes.length, Arrays.hashCode(bytes));
  }
}
