package dev.xip.cli;

import dev.xip.history.Account;
import dev.xip.history.Finding;
import dev.xip.history.Story;
import dev.xip.measure.PatchedExec;
import java.io.IOException;
import java.util.List;

/** Prints the story as one JSON object. */
final class HistoryJson {
  private final JsonWriter json;

  private HistoryJson(JsonWriter json) {
    this.json = json;
  }

  static void print(Story story, Output out) throws IOException {
    HistoryJson writer = new HistoryJson(new JsonWriter(out));
    writer.json.beginObject().member("title", Story.TITLE).member("processor", story.processor());
    writer.strings("prologue", Story.PROLOGUE);
    writer.json.member("seconds", story.seconds()).name("steps").beginArray();
    for (Story.Chapter chapter : story.chapters()) {
      writer.chapter(chapter);
    }
    writer.json.endArray();
    writer.strings("broken", story.broken());
    writer.json.endObject().finish();
  }

  private void chapter(Story.Chapter chapter) throws IOException {
    Account account = chapter.account();
    json.beginObject()
        .member("id", account.id())
        .member("date", account.date())
        .member("title", account.title())
        .name("mails")
        .beginArray();
    for (Account.Mail mail : account.mails()) {
      json.beginObject().member("who", mail.who()).member("id", mail.id()).endObject();
    }
    json.endArray().member("told", account.told()).member("today", account.today());
    strings("classes", account.classes().stream().map(Class::getName).toList());
    strings("tests", account.tests());
    json.member("seconds", chapter.seconds()).name("findings").beginArray();
    for (Finding finding : chapter.findings()) {
      json.beginObject();
      finding(finding);
      json.endObject();
    }
    json.endArray().endObject();
  }

  private void strings(String name, List<String> values) throws IOException {
    json.name(name).beginArray();
    for (String each : values) {
      json.value(each);
    }
    json.endArray();
  }

  private void finding(Finding finding) throws IOException {
    switch (finding) {
      case Finding.Part part ->
          json.member("kind", "part").member("title", part.title()).member("text", part.text());
      case Finding.Fact fact ->
          json.member("kind", "fact")
              .member("what", fact.what())
              .member("seen", fact.seen())
              .member("asTold", fact.holds());
      case Finding.Seen seen ->
          json.member("kind", "seen").member("what", seen.what()).member("value", seen.value());
      case Finding.Broken broken -> broken(broken);
      case Finding.Table table -> table(table);
      case Finding.Figures figures -> figures(figures);
      case Finding.Sketch sketch -> sketch(sketch);
    }
  }

  private void broken(Finding.Broken broken) throws IOException {
    json.member("kind", "broken")
        .member("what", broken.what())
        .member("text", broken.text())
        .name("calls")
        .beginArray();
    for (PatchedExec.Call call : broken.calls()) {
      json.beginObject().member("here", call.ours()).member("kernel", call.kernels()).endObject();
    }
    json.endArray();
  }

  private void table(Finding.Table table) throws IOException {
    json.member("kind", "table").member("title", table.title());
    strings("columns", table.columns());
    json.name("rows").beginArray();
    for (Finding.Row row : table.rows()) {
      json.beginObject().member("name", row.name()).name("cells").beginArray();
      for (Finding.Cell cell : row.cells()) {
        json.beginObject().member("text", cell.text()).member("wrong", cell.wrong()).endObject();
      }
      json.endArray().endObject();
    }
    json.endArray();
  }

  private void figures(Finding.Figures figures) throws IOException {
    json.member("kind", "figures").member("title", figures.title()).member("unit", figures.unit());
    strings("columns", figures.columns());
    json.name("contenders").beginArray();
    for (Finding.Contender each : figures.contenders()) {
      json.beginObject().member("name", each.name()).name("values").beginArray();
      for (double value : each.values()) {
        json.value(value);
      }
      json.endArray().endObject();
    }
    json.endArray();
  }

  private void sketch(Finding.Sketch sketch) throws IOException {
    json.member("kind", "sketch").name("entries").beginArray();
    for (Finding.Entry entry : sketch.entries()) {
      json.beginObject()
          .member("caption", entry.caption())
          .member("layout", entry.layout())
          .member("value", "0x%016x".formatted(entry.value()))
          .member("bits", entry.bits())
          .member("marked", entry.isMarked())
          .endObject();
    }
    json.endArray().name("list").beginArray();
    for (Finding.Chunk chunk : sketch.list()) {
      json.beginObject()
          .member("name", chunk.name())
          .member("structPages", chunk.frames())
          .member("note", chunk.note())
          .endObject();
    }
    json.endArray().member("lock", sketch.lock());
  }
}
