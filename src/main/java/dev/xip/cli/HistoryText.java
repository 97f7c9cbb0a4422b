package dev.xip.cli;

import dev.xip.history.Account;
import dev.xip.history.Finding;
import dev.xip.history.Story;
import dev.xip.measure.PatchedExec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Prints the story as text of at most 96 columns. */
final class HistoryText {
  private static final int WIDTH = 96;
  private static final String INDENT = "  ";
  private static final int BAR = 30;

  private final Output out;

  private HistoryText(Output out) {
    this.out = out;
  }

  static void list(Story story, Output out) throws IOException {
    for (Story.Chapter chapter : story.chapters()) {
      Account account = chapter.account();
      out.line("%-8s %-22s %s".formatted(account.id(), account.date(), account.title()));
    }
  }

  static void print(Story story, Output out) throws IOException {
    HistoryText text = new HistoryText(out);
    out.line(Story.TITLE);
    for (String paragraph : Story.PROLOGUE) {
      out.line("");
      text.wrapped("", "", paragraph);
    }
    out.line("");
    text.wrapped(
        "",
        "",
        "Figures are of this run, on %s; those of a mail or commit are said to be."
            .formatted(story.processor()));
    for (Story.Chapter chapter : story.chapters()) {
      text.chapter(chapter);
    }
    out.line("");
    out.line(
        "%d step%s in %.1f s; %s"
            .formatted(
                story.chapters().size(),
                story.chapters().size() == 1 ? "" : "s",
                story.seconds(),
                story.broken().isEmpty()
                    ? "every fact is as told."
                    : "NOT every fact is as told."));
  }

  private void chapter(Story.Chapter chapter) throws IOException {
    Account account = chapter.account();
    out.line("");
    out.line("-".repeat(WIDTH));
    wrapped("", " ".repeat(8), "%-7s %s".formatted(account.id(), account.title()));
    String mails =
        account.mails().stream()
            .map(mail -> "%s <%s>".formatted(mail.who(), mail.id()))
            .collect(Collectors.joining("; "));
    wrapped("", INDENT, account.date() + ". " + mails);
    out.line("");
    wrapped(INDENT, INDENT, account.told());
    for (Finding finding : chapter.findings()) {
      finding(finding);
    }
    out.line("");
    wrapped(INDENT, INDENT, "The same today: " + account.today());
    wrapped(
        INDENT,
        INDENT + INDENT,
        "Classes: "
            + account.classes().stream()
                .map(Class::getSimpleName)
                .collect(Collectors.joining(", ")));
    wrapped(
        INDENT,
        INDENT + INDENT,
        "Tests: "
            + account.tests().stream()
                .map(HistoryText::shortName)
                .collect(Collectors.joining(", ")));
  }

  /** {@return a test without its package} */
  private static String shortName(String test) {
    String type = test.split("#")[0];
    return test.substring(type.lastIndexOf('.') + 1).replace('#', '.');
  }

  private void finding(Finding finding) throws IOException {
    switch (finding) {
      case Finding.Part part -> {
        out.line("");
        wrapped(INDENT, INDENT, part.title().toUpperCase(java.util.Locale.ROOT));
        if (!part.text().isEmpty()) {
          wrapped(INDENT, INDENT, part.text());
        }
      }
      case Finding.Fact fact ->
          wrapped(
              INDENT + "- ",
              INDENT + INDENT,
              "%s: %s%s"
                  .formatted(fact.what(), shown(fact.seen()), fact.holds() ? "" : "  NOT AS TOLD"));
      case Finding.Seen seen ->
          wrapped(INDENT + "- ", INDENT + INDENT, seen.what() + ": " + seen.value());
      case Finding.Broken broken -> broken(broken);
      case Finding.Table table -> table(table);
      case Finding.Figures figures -> figures(figures);
      case Finding.Sketch sketch -> sketch(sketch);
    }
  }

  private static String shown(String seen) {
    return seen.isEmpty() ? "works" : seen;
  }

  private void broken(Finding.Broken broken) throws IOException {
    wrapped(INDENT + "! ", INDENT + INDENT, broken.what() + " breaks:");
    wrapped(INDENT + INDENT + INDENT, INDENT + INDENT + INDENT, broken.text());
    if (!broken.calls().isEmpty()) {
      out.line("");
      out.line(INDENT.repeat(3) + "%-24s %s".formatted("called here", "in the kernel"));
      for (PatchedExec.Call call : broken.calls()) {
        out.line(INDENT.repeat(3) + "%-24s %s".formatted(call.ours(), call.kernels()));
      }
      out.line("");
    }
  }

  private void table(Finding.Table table) throws IOException {
    out.line("");
    wrapped(INDENT, INDENT, table.title());
    List<List<String>> lines = new ArrayList<>();
    lines.add(table.columns());
    boolean wrong = false;
    for (Finding.Row row : table.rows()) {
      List<String> line = new ArrayList<>(List.of(row.name()));
      for (Finding.Cell cell : row.cells()) {
        line.add(cell.text() + (cell.wrong() ? " *" : ""));
        wrong |= cell.wrong();
      }
      lines.add(line);
    }
    grid(lines, false);
    if (wrong) {
      out.line(INDENT.repeat(2) + "* wrong");
    }
  }

  private void figures(Finding.Figures figures) throws IOException {
    out.line("");
    wrapped(INDENT, INDENT, "%s, %s".formatted(figures.title(), figures.unit()));
    List<List<String>> lines = new ArrayList<>();
    if (figures.columns().size() > 1) {
      List<String> head = new ArrayList<>(List.of(""));
      head.addAll(figures.columns());
      lines.add(head);
    }
    double most = figures.most();
    for (Finding.Contender each : figures.contenders()) {
      List<String> line = new ArrayList<>(List.of(each.name()));
      for (double value : each.values()) {
        line.add("%,.2f".formatted(value));
      }
      if (figures.columns().size() == 1) {
        line.add("#".repeat((int) Math.round(BAR * each.values().getFirst() / most)));
      }
      lines.add(line);
    }
    grid(lines, true);
  }

  /** Prints columns as wide as they need to be; numbers are set to the right. */
  private void grid(List<List<String>> lines, boolean numbers) throws IOException {
    for (List<String> line : lines) {
      StringBuilder text = new StringBuilder(INDENT + INDENT);
      for (int i = 0; i < line.size(); i++) {
        int column = i;
        int width =
            lines.stream()
                .filter(each -> each.size() > column)
                .mapToInt(each -> each.get(column).length())
                .max()
                .orElse(0);
        boolean right = numbers && i > 0 && !line.get(i).startsWith("#");
        text.append((right ? "%" : "%-").concat(width + "s  ").formatted(line.get(i)));
      }
      out.line(text.toString().stripTrailing());
    }
  }

  private void sketch(Finding.Sketch sketch) throws IOException {
    out.line("");
    for (Finding.Entry entry : sketch.entries()) {
      out.line(
          INDENT
              + "0x%016x  %-32s %s%s"
                  .formatted(
                      entry.value(),
                      entry.bits(),
                      entry.caption(),
                      entry.isMarked() ? "  <- marked" : ""));
    }
    if (!sketch.list().isEmpty()) {
      wrapped(
          INDENT,
          INDENT + INDENT,
          "mem_segs -> "
              + sketch.list().stream()
                  .map(
                      each ->
                          "[%s%s]"
                              .formatted(
                                  each.name(), each.note().isEmpty() ? "" : "; " + each.note()))
                  .collect(Collectors.joining(" -> ")));
    }
    if (!sketch.lock().isEmpty()) {
      wrapped(INDENT, INDENT + INDENT, "lock: " + sketch.lock());
    }
    out.line("");
  }

  private void wrapped(String first, String others, String text) throws IOException {
    StringBuilder line = new StringBuilder(first);
    boolean empty = true;
    for (String word : text.strip().split(" ", -1)) {
      if (!empty && line.length() + 1 + word.length() > WIDTH) {
        out.line(line.toString());
        line = new StringBuilder(others);
        empty = true;
      }
      line.append(empty ? "" : " ").append(word);
      empty = false;
    }
    out.line(line.toString());
  }
}
