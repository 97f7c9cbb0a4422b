package dev.xip.cli;

import dev.xip.vm.Era;
import java.io.IOException;
import java.util.List;

/** Prints the rules in which releases of Linux differ, by era. */
final class HistoryEras {
  private static final String NAME = "%-31s";
  private static final String VALUE = "%8s";

  private HistoryEras() {}

  static void table(List<Era> eras, Output out) throws IOException {
    StringBuilder head = new StringBuilder(NAME.formatted("rule"));
    eras.forEach(era -> head.append(VALUE.formatted(era)));
    out.line(head.toString());
    for (Era.Row row : Era.rows()) {
      StringBuilder line = new StringBuilder(NAME.formatted(row.rule()));
      eras.forEach(era -> line.append(VALUE.formatted(row.values().get(era.ordinal()))));
      out.line(line.toString());
      out.line("    " + row.sentence());
    }
  }

  static void json(List<Era> eras, Output out) throws IOException {
    JsonWriter json = new JsonWriter(out).beginObject().name("rules").beginArray();
    for (Era.Row row : Era.rows()) {
      json.beginObject()
          .member("name", row.rule())
          .member("sentence", row.sentence())
          .name("eras")
          .beginObject();
      for (Era era : eras) {
        json.member(era.toString(), row.values().get(era.ordinal()));
      }
      json.endObject().endObject();
    }
    json.endArray().endObject().finish();
  }
}
