package dev.xip.history;

import dev.xip.measure.PatchedExec;
import dev.xip.measure.XmlText;
import java.util.List;
import java.util.stream.Collectors;

/** Writes the story as one HTML page that needs no network: style and drawings are in it. */
public final class HtmlPage {
  private final XmlText html = new XmlText();

  private HtmlPage() {}

  /**
   * Writes.
   *
   * @param story the story
   * @return the page, in UTF-8 and well-formed XML
   */
  public static String of(Story story) {
    HtmlPage page = new HtmlPage();
    page.head(story);
    for (Story.Chapter chapter : story.chapters()) {
      page.chapter(chapter);
    }
    page.foot(story);
    return page.html.toString();
  }

  private void head(Story story) {
    html.raw("<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n")
        .raw("<meta charset=\"utf-8\"/>\n")
        .raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n")
        .raw("<meta name=\"color-scheme\" content=\"light dark\"/>\n")
        .raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';")
        .raw(" style-src 'unsafe-inline'\"/>\n")
        .add("<title>%s</title>\n<style>\n", Story.TITLE)
        .raw(PageStyle.CSS)
        .raw("</style>\n</head>\n<body>\n<header>\n")
        .add("<h1>%s</h1>\n", Story.TITLE);
    for (String paragraph : Story.PROLOGUE) {
      html.add("<p>%s</p>\n", paragraph);
    }
    html.add(
        "<p class=\"small\">Each step below was run on a machine made for it. Figures are of that"
            + " run, on %s; those of a mail or commit are said to be.</p>\n</header>\n",
        story.processor());
    html.raw("<nav aria-label=\"Steps\"><ol>\n");
    for (Story.Chapter chapter : story.chapters()) {
      Account account = chapter.account();
      html.add(
          "<li><a href=\"#%s\"><span>%s</span> %s</a></li>\n",
          anchor(account), account.date(), account.title());
    }
    html.raw("</ol></nav>\n<main>\n");
  }

  private static String anchor(Account account) {
    return "step-" + account.id();
  }

  private void chapter(Story.Chapter chapter) {
    Account account = chapter.account();
    html.add(
        "<section id=\"%s\">\n<p class=\"date\">%s</p>\n<h2>%s</h2>\n",
        anchor(account), account.date(), account.title());
    html.raw("<ul class=\"mails\">\n");
    for (Account.Mail mail : account.mails()) {
      html.add("<li>%s <code>%s</code></li>\n", mail.who(), mail.id());
    }
    html.add("</ul>\n<p class=\"told\">%s</p>\n", account.told());
    findings(chapter.findings());
    html.add("<p class=\"today\"><b>The same today.</b> %s</p>\n", account.today());
    html.add(
        "<details><summary>Classes and tests</summary><p><code>%s</code></p>"
            + "<p><code>%s</code></p></details>\n</section>\n",
        account.classes().stream().map(Class::getName).collect(Collectors.joining(", ")),
        String.join(", ", account.tests()));
  }

  /** Facts that follow each other, checked or not, make one list. */
  private void findings(List<Finding> findings) {
    boolean inList = false;
    for (Finding finding : findings) {
      boolean fact = finding instanceof Finding.Fact || finding instanceof Finding.Seen;
      if (fact != inList) {
        html.raw(fact ? "<ul class=\"facts\">\n" : "</ul>\n");
        inList = fact;
      }
      switch (finding) {
        case Finding.Part part -> {
          html.add("<h3>%s</h3>\n", part.title());
          if (!part.text().isEmpty()) {
            html.add("<p>%s</p>\n", part.text());
          }
        }
        case Finding.Fact each ->
            html.add(
                "<li%s>%s: <b>%s</b></li>\n",
                new Markup(each.holds() ? "" : " class=\"wrong\""),
                each.what(),
                each.seen().isEmpty() ? "works" : each.seen());
        case Finding.Seen each ->
            html.add("<li class=\"seen\">%s: <b>%s</b></li>\n", each.what(), each.value());
        case Finding.Broken broken -> broken(broken);
        case Finding.Table table -> table(table);
        case Finding.Figures figures -> FiguresDrawing.add(html, figures);
        case Finding.Sketch sketch -> SketchDrawing.add(html, sketch);
      }
    }
    html.raw(inList ? "</ul>\n" : "");
  }

  /** Markup among texts that are escaped. */
  private record Markup(String text) {
    @Override
    public String toString() {
      return text;
    }
  }

  private void broken(Finding.Broken broken) {
    html.add(
        "<div class=\"broken\"><p>%s breaks:</p><pre>%s</pre>\n", broken.what(), broken.text());
    if (!broken.calls().isEmpty()) {
      html.raw("<table><thead><tr><th>called here</th><th>in the kernel</th></tr></thead><tbody>");
      for (PatchedExec.Call call : broken.calls()) {
        html.add(
            "<tr><td><code>%s</code></td><td><code>%s</code></td></tr>\n",
            call.ours(), call.kernels());
      }
      html.raw("</tbody></table>\n");
    }
    html.raw("</div>\n");
  }

  private void table(Finding.Table table) {
    html.add("<div class=\"wide\"><table><caption>%s</caption><thead><tr>", table.title());
    for (String column : table.columns()) {
      html.add("<th scope=\"col\">%s</th>", column);
    }
    html.raw("</tr></thead><tbody>\n");
    for (Finding.Row row : table.rows()) {
      html.add("<tr><th scope=\"row\">%s</th>", row.name());
      for (Finding.Cell cell : row.cells()) {
        html.add(
            cell.wrong() ? "<td class=\"wrong\">%s <small>wrong</small></td>" : "<td>%s</td>",
            cell.text());
      }
      html.raw("</tr>\n");
    }
    html.raw("</tbody></table></div>\n");
  }

  private void foot(Story story) {
    html.add(
        "</main>\n<footer><p>%d steps, run in %.1f seconds by <code>xip history --html</code>;"
            + " %s</p></footer>\n</body>\n</html>\n",
        story.chapters().size(),
        story.seconds(),
        story.broken().isEmpty() ? "every fact is as told." : "NOT every fact is as told.");
  }
}
