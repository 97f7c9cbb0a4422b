package dev.xip.cli;

import dev.xip.segment.SegmentDefinition;
import dev.xip.segment.SegmentException;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.StoredSegment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code xip segment list}: says what is in the store and who uses it. */
@Command(
    name = "list",
    header = "List the segments of the store.",
    description = "%nA definition that is damaged is told on standard error; the exit code is 1.%n",
    footerHeading = "%nExamples:%n",
    footer = {"  xip segment list", "  xip segment list --json | jq -r '.segments[].name'"})
final class SegmentListCommand implements Callable<Integer> {
  @Mixin private SegmentOptions.Store in;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  SegmentListCommand() {}

  @Override
  public Integer call() throws IOException {
    Path folder = in.folder();
    SegmentStore.Listing listing =
        Files.exists(folder)
            ? SegmentStore.open(folder).list()
            : new SegmentStore.Listing(List.of(), List.of());
    Output out = new Output();
    if (json) {
      printJson(folder, listing, out);
    } else {
      out.line(
          "%-8s %-4s %-34s %16s %8s".formatted("NAME", "TYPE", "ADDRESSES", "BYTES", "VERSION"));
      for (StoredSegment each : listing.segments()) {
        out.line(row(each));
      }
    }
    out.flush();
    if (!listing.damaged().isEmpty()) {
      throw listing.damaged().getFirst();
    }
    return Main.DONE;
  }

  private static String row(StoredSegment segment) {
    SegmentDefinition definition = segment.definition();
    return "%-8s %-4s %-34s %16s %8d"
        .formatted(
            segment.name(),
            definition.type(),
            definition.range(),
            "0x%x".formatted(definition.byteSize()),
            segment.version());
  }

  private static void printJson(Path folder, SegmentStore.Listing listing, Output out)
      throws IOException {
    JsonWriter json = new JsonWriter(out).beginObject();
    json.member("store", folder.toString()).name("segments").beginArray();
    for (StoredSegment each : listing.segments()) {
      SegmentText.members(json.beginObject(), each).endObject();
    }
    json.endArray().name("damaged").beginArray();
    for (SegmentException each : listing.damaged()) {
      json.value(each.getMessage());
    }
    json.endArray().endObject().finish();
  }
}
