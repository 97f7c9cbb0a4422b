package dev.xip.segment;

import dev.xip.host.HostException;
import dev.xip.host.HostFolder;
import dev.xip.host.HostStat;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Looks at every file of a store. */
final class StoreCheck {
  private final StoreFolder folder;
  private final List<StoreFinding> findings = new ArrayList<>();

  /** The current version of each segment whose definition is whole. */
  private final Map<SegmentName, Long> current = new TreeMap<>();

  /** The segments whose current version cannot be told. */
  private final Set<SegmentName> damaged = new HashSet<>();

  private final Set<StoreFile> files = new HashSet<>();

  StoreCheck(StoreFolder folder) {
    this.folder = folder;
  }

  List<StoreFinding> run() throws SegmentException {
    try (StoreLock _ = StoreLock.acquire(folder.path())) {
      return look();
    } catch (HostException e) {
      return switch (e.errno()) {
        case EACCES, EPERM, EROFS -> look();
        default -> throw SegmentException.of("checking segment store " + folder.path(), e);
      };
    }
  }

  private List<StoreFinding> look() throws SegmentException {
    List<String> names = folder.names();
    for (String each : names) {
      StoreFile.of(each).ifPresent(files::add);
      if (each.endsWith(StoreFile.DEFINITION_SUFFIX)) {
        definition(each);
      } else if (!each.equals(StoreFile.LOCK)
          && !StoreFile.isSocket(each)
          && StoreFile.of(each).isEmpty()) {
        findings.add(new StoreFinding(folder.path().resolve(each), false, "no file of a store"));
      }
    }
    for (String each : names) {
      StoreFile.of(each)
          .filter(file -> file.kind() != StoreFile.Kind.DEFINITION)
          .ifPresent(this::other);
    }
    findings.sort(Comparator.comparing(StoreFinding::file));
    return List.copyOf(findings);
  }

  private void definition(String fileName) {
    try {
      StoredSegment stored = folder.definition(fileName);
      current.put(stored.name(), stored.version());
      data(stored, StoreFile.definition(stored.name()));
    } catch (IOException e) {
      StoreFile.of(fileName).ifPresent(file -> damaged.add(file.name()));
      findings.add(new StoreFinding(folder.path().resolve(fileName), false, e.getMessage()));
    }
  }

  /** Whether the data file is as its definition says. One of SN is cleared before it is used. */
  private void data(StoredSegment stored, StoreFile definition) {
    long expected = stored.definition().byteSize();
    try {
      HostStat stat = HostFolder.stat(stored.dataFile());
      if (!stat.isRegularFile()) {
        add(definition, false, "expected a regular data file " + stored.dataFile());
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
    if (damaged.contains(file.name()) && file.kind() != StoreFile.Kind.NEW_DEFINITION) {
      return; // which version is the current one cannot be told
    }
    boolean isCurrent = current.getOrDefault(file.name(), 0L) == file.version();
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
      add(file, true, "pending purge, but its last user is gone");
      if (files.contains(data)) {
        add(data, true, "pending purge, but its last user is gone");
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
      return DataUsers.any(folder.resolve(data));
    } catch (HostException e) {
      add(data, false, e.getMessage());
      return true;
    }
  }

  private void add(StoreFile file, boolean leftover, String problem) {
    findings.add(new StoreFinding(folder.resolve(file), leftover, problem));
  }
}
