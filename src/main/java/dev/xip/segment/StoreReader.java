package dev.xip.segment;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Lists a store while others may change it. Files that are deleted meanwhile are skipped. */
final class StoreReader {
  private final StoreFolder folder;
  private final List<FileName> names;
  private final List<SegmentException> damaged = new ArrayList<>();

  StoreReader(StoreFolder folder) throws SegmentException {
    this.folder = folder;
    this.names = folder.names();
  }

  SegmentStore.Listing list() {
    return new SegmentStore.Listing(definitions(), damaged);
  }

  SegmentStore.Survey survey() {
    List<SegmentState> states = new ArrayList<>();
    Map<SegmentName, Long> current = new TreeMap<>();
    for (StoredSegment each : definitions()) {
      current.put(each.name(), each.version());
      addCurrent(each, states);
    }
    for (FileName each : names) {
      StoreFile file = StoreFile.of(each.toString()).orElse(null);
      // A purge link of the current version belongs to a change that has not taken effect.
      if (file != null
          && file.kind() == StoreFile.Kind.PURGE
          && file.version() != current.getOrDefault(file.name(), 0L)) {
        addPendingPurge(file, states);
      }
    }
    states.sort(
        Comparator.<SegmentState, SegmentName>comparing(each -> each.stored().name())
            .thenComparing(each -> each.stored().version()));
    return new SegmentStore.Survey(states, damaged);
  }

  /** Reads all files with the suffix of a definition, even if the name is not a segment's. */
  private List<StoredSegment> definitions() {
    List<StoredSegment> segments = new ArrayList<>();
    for (FileName each : names) {
      if (each.toString().endsWith(StoreFile.DEFINITION_SUFFIX)) {
        try {
          segments.add(folder.definition(each));
        } catch (IOException e) {
          addUnlessDeleted(each.toString(), e);
        }
      }
    }
    segments.sort(Comparator.comparing(StoredSegment::name));
    return segments;
  }

  private void addCurrent(StoredSegment found, List<SegmentState> states) {
    StoredSegment stored = found;
    while (true) {
      try {
        states.add(new SegmentState(stored, false, DataUsers.of(folder, stored)));
        return;
      } catch (IOException e) {
        StoredSegment next;
        try {
          next = folder.current(stored.name());
        } catch (SegmentException gone) {
          addUnlessDeleted(StoreFile.definition(stored.name()).toString(), gone);
          return;
        }
        if (next.equals(stored)) {
          damaged.add(DataUsers.unusable(stored, e));
          return;
        }
        stored = next; // a save has replaced and deleted the version meanwhile
      }
    }
  }

  private void addPendingPurge(StoreFile file, List<SegmentState> states) {
    StoredSegment stored;
    try {
      stored = folder.pendingPurge(file.name(), file.version());
    } catch (IOException e) {
      addUnlessDeleted(file.toString(), e);
      return;
    }
    try {
      states.add(new SegmentState(stored, true, DataUsers.of(folder, stored)));
    } catch (IOException e) {
      if (SegmentException.of("", e).errno() != Errno.ENOENT) {
        damaged.add(DataUsers.unusable(stored, e));
      }
    }
  }

  private void addUnlessDeleted(String file, IOException e) {
    SegmentException told = SegmentException.of("segment definition " + file, e);
    if (told.errno() != Errno.ENOENT) {
      damaged.add(told);
    }
  }
}
