package dev.xip.cli;

import dev.xip.vm.Era;
import dev.xip.vm.Rule;
import java.io.IOException;
import java.util.List;

/** Prints the rules in which releases of Linux differ, by era. */
final class HistoryEras {
  private HistoryEras() {}

  static void table(List<Era> eras, Output out) throws IOException {
    StringBuilder head = new StringBuilder("%-24s".formatted("rule"));
    eras.forEach(era -> head.append("%8s".formatted(era)));
    out.line(head.toString());
    for (Rule rule : Rule.values()) {
      StringBuilder line = new StringBuilder("%-24s".formatted(rule));
      eras.forEach(era -> line.append("%8s".formatted(era.rules().has(rule) ? "yes" : "-")));
      out.line(line.toString());
      out.line("    " + rule.sentence());
    }
    StringBuilder around = new StringBuilder("%-24s".formatted("pages of a fault"));
    eras.forEach(era -> around.append("%8d".formatted(era.rules().faultAroundPages())));
    out.line(around.toString());
    out.line("    the pages of a file in place that a read fault maps at most");
  }

  static void json(List<Era> eras, Output out) throws IOException {
    JsonWriter json = new JsonWriter(out).beginObject().name("rules").beginArray();
    for (Rule rule : Rule.values()) {
      json.beginObject()
          .member("name", rule.toString())
          .member("sentence", rule.sentence())
          .name("eras")
          .beginObject();
      for (Era era : eras) {
        json.member(era.toString(), era.rules().has(rule));
      }
      json.endObject().endObject();
    }
    json.endArray().name("faultAroundPages").beginObject();
    for (Era era : eras) {
      json.member(era.toString(), era.rules().faultAroundPages());
    }
    json.endObject().endObject().finish();
  }
}
