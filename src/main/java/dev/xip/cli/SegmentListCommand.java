package dev.xip.cli;

import dev.xip.segment.SegmentException;
import dev.xip.segment.SegmentState;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.SegmentUser;
import dev.xip.segment.StoredSegment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code xip segment list}: lists the segments of the store and their users. */
@Command(
    name = "list",
    header = "List the segments of the store and who uses them.",
    description = {
      "%nMODE is the mode in which the users have it loaded. A version that was replaced by a save"
          + " or removed is listed as 'pending purge' until its last user unloads it.%n",
      "Damaged definitions are reported on standard error; the exit code is then 1.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xip segment list",
      "  xip segment list --json | jq -r '.segments[] | select(.users != []) | .name'"
    })
final class SegmentListCommand implements Callable<Integer> {
  private static final String FORM = "%-8s %-4s %-34s %12s %-16s %5s %7s  %s";

  @Mixin private SegmentOptions.Store in;

  @Mixin private Sizes sizes = new Sizes();

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  SegmentListCommand() {}

  @Override
  public Integer call() throws IOException {
    Path folder = in.folder();
    SegmentStore.Survey survey =
        Files.exists(folder) ? in.open().survey() : new SegmentStore.Survey(List.of(), List.of());
    Output out = new Output();
    if (json) {
      printJson(folder, survey, out);
    } else {
      line(out, "NAME", "TYPE", "RANGE", "SIZE", "MODE", "USERS", "VERSION", "");
      for (SegmentState each : survey.segments()) {
        print(each, out);
      }
    }
    out.flush();
    List<SegmentException> damaged = survey.damaged();
    for (SegmentException each : damaged.subList(0, Math.max(0, damaged.size() - 1))) {
      Errors.line(Failure.line(each));
    }
    if (!damaged.isEmpty()) {
      throw damaged.getLast();
    }
    return Main.DONE;
  }

  private void print(SegmentState state, Output out) throws IOException {
    StoredSegment stored = state.stored();
    line(
        out,
        stored.name(),
        stored.definition().type(),
        stored.definition().range(),
        sizes.of(stored.definition().byteSize()),
        state.users().isEmpty()
            ? "-"
            : state.users().stream()
                .map(user -> SegmentText.of(user.mode()))
                .distinct()
                .sorted()
                .collect(Collectors.joining(",")),
        state.users().size(),
        stored.version(),
        state.pendingPurge() ? "pending purge" : "");
  }

  private static void line(Output out, Object... columns) throws IOException {
    out.line(FORM.formatted(columns).stripTrailing());
  }

  private static void printJson(Path folder, SegmentStore.Survey survey, Output out)
      throws IOException {
    JsonWriter json = new JsonWriter(out).beginObject();
    json.member("store", folder).name("segments").beginArray();
    for (SegmentState each : survey.segments()) {
      SegmentText.members(json.beginObject(), each.stored())
          .member("pendingPurge", each.pendingPurge())
          .name("users")
          .beginArray();
      for (SegmentUser user : each.users()) {
        json.beginObject()
            .member("pid", user.pid())
            .member("mode", SegmentText.of(user.mode()))
            .endObject();
      }
      json.endArray().endObject();
    }
    json.endArray().name("damaged").beginArray();
    for (SegmentException each : survey.damaged()) {
      json.value(each.getMessage());
    }
    json.endArray().endObject().finish();
  }
}
