package dev.xip.segment;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.host.HostException;
import dev.xip.host.HostStat;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Checks every file of a store. */
final class StoreCheck {
  private final StoreFolder folder;
  private final List<StoreFinding> findings = new ArrayList<>();

  /** The current version of each segment whose definition is whole. */
  private final Map<SegmentName, Long> current = new TreeMap<>();

  /** The segments whose current version is unknown. */
  private final Set<SegmentName> damaged = new HashSet<>();

  private final Set<StoreFile> files = new HashSet<>();

  /** The definitions that are whole. */
  private final List<SegmentDefinition> whole = new ArrayList<>();

  private final WaitLimit limit;

  StoreCheck(StoreFolder folder, WaitLimit limit) {
    this.folder = folder;
    this.limit = limit;
  }

  List<StoreFinding> run() throws IOException {
    try (StoreLock _ = StoreLock.acquire(folder, limit)) {
      return look();
    } catch (HostException e) {
      return switch (e.errno()) {
        case EACCES, EPERM, EROFS -> look();
        default -> throw e;
      };
    }
  }

  private List<StoreFinding> look() throws SegmentException {
    List<FileName> names = folder.names();
    for (FileName each : names) {
      String text = each.toString();
      StoreFile.of(text).ifPresent(files::add);
      if (text.endsWith(StoreFile.DEFINITION_SUFFIX)) {
        definition(each);
      } else if (StoreFile.isSocket(text)) {
        socket(each);
      } else if (text.equals(StoreFile.LOCK)) {
        lock(each);
      } else if (StoreFile.of(text).isEmpty()) {
        damaged(each, "no file of a store");
      }
    }
    for (FileName each : names) {
      StoreFile.of(each.toString())
          .filter(file -> file.kind() != StoreFile.Kind.DEFINITION)
          .ifPresent(this::other);
    }
    overlaps();
    findings.sort(Comparator.comparing(StoreFinding::file));
    return List.copyOf(findings);
  }

  private void damaged(FileName file, String problem) {
    findings.add(new StoreFinding(folder.path().resolve(file.toString()), false, problem));
  }

  /** A socket may belong to another user that holds a segment. */
  private void socket(FileName file) {
    kind(file, "a socket");
  }

  /** Any user that may write to the folder may have made the lock. */
  private void lock(FileName file) {
    kind(file, "a regular file");
  }

  private void kind(FileName file, String expected) {
    try {
      String found = folder.open().stat(file).kind();
      if (!found.equals(expected)) {
        damaged(file, "expected %s, found %s".formatted(expected, found));
      }
    } catch (HostException e) {
      if (e.errno() != Errno.ENOENT) {
        damaged(file, e.getMessage());
      }
    }
  }

  /** Two segments that share a megabyte cannot be loaded by one machine. */
  private void overlaps() {
    whole.sort(Comparator.comparingLong(each -> each.range().start()));
    SegmentDefinition last = null;
    for (SegmentDefinition each : whole) {
      if (last != null && last.megabytes().overlaps(each.megabytes())) {
        add(
            StoreFile.definition(each.name()),
            false,
            "%s has part of a megabyte of %s %s, so one machine cannot load both"
                .formatted(each.range(), last.name(), last.range()));
      }
      if (last == null || each.range().end() > last.range().end()) {
        last = each;
      }
    }
  }

  private void definition(FileName fileName) {
    try {
      StoredSegment stored = folder.definition(fileName);
      whole.add(stored.definition());
      current.put(stored.name(), stored.version());
      data(stored, StoreFile.definition(stored.name()));
    } catch (IOException e) {
      StoreFile.of(fileName.toString()).ifPresent(file -> damaged.add(file.name()));
      damaged(fileName, e.getMessage());
    }
  }

  /**
   * Checks a data file against its definition. The length of SN is not checked: its first user
   * clears it.
   */
  private void data(StoredSegment stored, StoreFile definition) {
    long expected = stored.definition().byteSize();
    StoreFile data = StoreFile.data(stored.name(), stored.version());
    try {
      HostStat stat = folder.stat(data);
      String reason = folder.reasonToDistrust(data.fileName());
      if (reason != null) {
        add(data, false, reason);
      } else if (stat.size() < expected && stored.definition().type() != SegmentType.SN) {
        findings.add(
            new StoreFinding(
                stored.dataFile(),
                false,
                "expected 0x%x bytes, found 0x%x".formatted(expected, stat.size())));
      }
    } catch (HostException e) {
      add(definition, false, "data file: " + e.getMessage());
    }
  }

  private void other(StoreFile file) {
    boolean isCurrent = current.getOrDefault(file.name(), 0L) == file.version();
    String reason = folder.reasonToDistrust(file.fileName());
    if (reason != null) {
      if (!isCurrent || file.kind() != StoreFile.Kind.DATA) { // else reported already
        add(file, false, reason);
      }
      return;
    }
    if (damaged.contains(file.name()) && file.kind() != StoreFile.Kind.NEW_DEFINITION) {
      return; // its current version is unknown
    }
    switch (file.kind()) {
      case NEW_DEFINITION -> add(file, true, "a definition that was not finished");
      case PURGE -> {
        if (isCurrent) {
          add(file, true, "a second name of the current definition");
        } else {
          purge(file);
        }
      }
      case DATA -> {
        StoreFile purge = StoreFile.purge(file.name(), file.version());
        if (!isCurrent && !files.contains(purge)) {
          boolean used = isUsed(file);
          add(file, !used, used ? "used, but no definition names it" : "no definition names it");
        }
      }
      case DEFINITION -> throw new IllegalArgumentException(file.toString());
    }
  }

  /** A version that is pending purge. */
  private void purge(StoreFile file) {
    StoreFile data = StoreFile.data(file.name(), file.version());
    if (!isUsed(data)) {
      add(file, true, "pending purge, but its last user has ended");
      if (files.contains(data)) {
        add(data, true, "pending purge, but its last user has ended");
      }
      return;
    }
    try {
      data(folder.pendingPurge(file.name(), file.version()), file);
    } catch (IOException e) {
      add(file, false, e.getMessage());
    }
  }

  private boolean isUsed(StoreFile data) {
    try {
      return DataUsers.any(folder, data);
    } catch (IOException e) {
      add(data, false, e.getMessage());
      return true;
    }
  }

  private void add(StoreFile file, boolean leftover, String problem) {
    findings.add(new StoreFinding(folder.resolve(file), leftover, problem));
  }
}
