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

/** {@code xip segment check}: reports leftover and damaged files of the store. */
@Command(
    name = "check",
    header = "Check every file of the store and report leftovers and damage.",
    description = {
      "%nA leftover is a file of a dead process; --repair deletes it. A damaged segment is left as"
          + " it is: save or remove it.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xip segment check",
      "  xip segment check --repair",
      "",
      "Exit code 0 means that nothing is wrong, or nothing any more; 1 that something still is."
    })
final class SegmentCheckCommand implements Callable<Integer> {
  @Mixin private SegmentOptions.Store in;

  @Option(names = "--repair", description = "Delete leftovers first, and name them.")
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
