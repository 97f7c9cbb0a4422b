package dev.xip.segment;

import java.util.ArrayList;
import java.util.List;

/**
 * The result of a save of a segment device.
 *
 * @param saved the new versions
 * @param warnings the segments that were passed over because their type keeps nothing (SN, EN), one
 *     line each
 * @param failures why others could not be saved; the store has their old versions
 */
public record SaveResult(
    List<StoredSegment> saved, List<String> warnings, List<SegmentException> failures) {
  /** Copies the lists. */
  public SaveResult {
    saved = List.copyOf(saved);
    warnings = List.copyOf(warnings);
    failures = List.copyOf(failures);
  }

  /** Saves all segments that keep contents; failures are collected. */
  static SaveResult of(SegmentLoader loader, List<SavedSegment> segments) {
    List<StoredSegment> saved = new ArrayList<>();
    List<String> warnings = new ArrayList<>();
    List<SegmentException> failures = new ArrayList<>();
    for (SavedSegment each : segments) {
      if (!each.type().keepsContents()) {
        warnings.add(
            "segment %s is not saved, as type %s keeps no contents"
                .formatted(each.name(), each.type()));
        continue;
      }
      try {
        saved.add(loader.save(each.name()));
      } catch (SegmentException e) {
        failures.add(e);
      }
    }
    return new SaveResult(saved, warnings, failures);
  }

  /** Throws the first failure, with the others suppressed. */
  SaveResult orThrow() throws SegmentException {
    if (!failures.isEmpty()) {
      SegmentException first = failures.getFirst();
      failures.stream().skip(1).forEach(first::addSuppressed);
      throw first;
    }
    return this;
  }
}
