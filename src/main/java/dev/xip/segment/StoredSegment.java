package dev.xip.segment;

import java.nio.file.Path;

/**
 * A segment in a store: its definition, and the version of the contents that a load gets now.
 *
 * @param definition the definition
 * @param version the version of the contents, 1 when the segment was defined, one more per save
 * @param dataFile the file with the contents, as long as the definition's {@code byteSize}
 */
public record StoredSegment(SegmentDefinition definition, long version, Path dataFile) {
  /** {@return the segment's name} */
  public SegmentName name() {
    return definition.name();
  }
}
