package dev.xip.cli;

import dev.xip.hold.SegmentHolder;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.StoreFinding;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code xip segment check}: says what is not in order in the store. */
@Command(
    name = "check",
    header = "Look at every file of the store and say what is not in order.",
    description = {
      "%nA leftover is what dead processes left, and --repair deletes it. What is damaged stays as"
          + " it is: save it or remove it.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xip segment check",
      "  xip segment check --repair",
      "",
      "Exit code 0 means that all is in order, or is now; 1 that something is not."
    })
final class SegmentCheckCommand implements Callable<Integer> {
  @Mixin private SegmentOptions.Store in;

  @Option(names = "--repair", description = "Delete the leftovers first, and name them.")
  private boolean repair;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  SegmentCheckCommand() {}

  @Override
  public Integer call() throws IOException {
    SegmentStore store = in.open();
    List<Path> deleted = new ArrayList<>();
    if (repair) {
      deleted.addAll(store.clean());
      deleted.addAll(SegmentHolder.clean(store));
    }
    List<StoreFinding> findings = new ArrayList<>(store.check());
    findings.addAll(SegmentHolder.check(store));
    Output out = new Output();
    if (json) {
      printJson(store.folder(), deleted, findings, out);
    } else {
      for (Path each : deleted) {
        out.line("deleted %s".formatted(each));
      }
      for (StoreFinding each : findings) {
        out.line((each.leftover() ? "leftover " : "damaged ") + each);
      }
    }
    out.flush();
    return findings.isEmpty() ? Main.DONE : Main.FAILED;
  }

  private static void printJson(
      Path folder, List<Path> deleted, List<StoreFinding> findings, Output out) throws IOException {
    JsonWriter json = new JsonWriter(out).beginObject();
    json.member("store", folder).name("deleted").beginArray();
    for (Path each : deleted) {
      json.value(each.toString());
    }
    json.endArray().name("findings").beginArray();
    for (StoreFinding each : findings) {
      json.beginObject()
          .member("file", each.file().toString())
          .member("leftover", each.leftover())
          .member("problem", each.problem())
          .endObject();
    }
    json.endArray().endObject().finish();
  }
}
