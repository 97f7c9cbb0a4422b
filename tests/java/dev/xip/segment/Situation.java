package dev.xip.segment;

import dev.xip.phys.PhysicalMemory;
import dev.xip.testing.Jvm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A change of a store, with or without a user of the segment in this process.
 *
 * @param change the change
 * @param used whether the version before has a user
 */
record Situation(StoreChange change, boolean used) {
  /** Returns all situations. */
  static Stream<Situation> all() {
    return Stream.of(StoreChange.values())
        .flatMap(
            each ->
                switch (each) {
                  case DEFINE_ZEROS, DEFINE_COPY, DEFINE_MOVED ->
                      Stream.of(new Situation(each, false));
                  case DEFINE_AFTER_REMOVE -> Stream.of(new Situation(each, true));
                  default -> Stream.of(new Situation(each, false), new Situation(each, true));
                });
  }

  /** Makes the store and, if it is used, its user. */
  SegmentLoader prepare(Path root, PhysicalMemory memory) throws IOException {
    change.prepare(root);
    SegmentLoader user = new SegmentLoader(SegmentStore.open(StoreChange.store(root)), memory);
    if (used) {
      user.load(StoreChange.A, SharingMode.SHARED);
    }
    change.prepareBesideUsers(root);
    return user;
  }

  /** The command line of a process that makes the change. */
  List<String> command(Path root) {
    return Jvm.command(StoreChange.class, root.toString(), change.name());
  }

  @Override
  public String toString() {
    return change + (used ? " beside a user" : "");
  }
}
