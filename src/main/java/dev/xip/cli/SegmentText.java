package dev.xip.cli;

import dev.xip.segment.SegmentDefinition;
import dev.xip.segment.SharingMode;
import dev.xip.segment.StoredSegment;
import java.io.IOException;
import java.util.Locale;

/** Prints a segment, as a line of text or as members of a JSON object. */
final class SegmentText {
  private SegmentText() {}

  /** Prints a segment after a change. */
  static void print(StoredSegment segment, boolean json) throws IOException {
    Output out = new Output();
    if (json) {
      members(new JsonWriter(out).beginObject(), segment).endObject().finish();
    } else {
      SegmentDefinition definition = segment.definition();
      out.line(
          "%s: %s %s, %s, version %d"
              .formatted(
                  segment.name(),
                  definition.type(),
                  definition.range(),
                  Sizes.readableText(definition.byteSize()),
                  segment.version()));
    }
    out.flush();
  }

  /** Writes the store's data of a segment as members of the open object. */
  static JsonWriter members(JsonWriter json, StoredSegment segment) throws IOException {
    SegmentDefinition definition = segment.definition();
    return json.member("name", segment.name().value())
        .member("type", definition.type().name())
        .member("start", definition.range().start())
        .member("end", definition.range().end())
        .member("bytes", definition.byteSize())
        .member("version", segment.version())
        .member("dataFile", segment.dataFile());
  }

  static String of(SharingMode mode) {
    return mode.name().toLowerCase(Locale.ROOT);
  }
}
