package dev.xip.history;

import dev.xip.measure.XmlText;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Draws what an entry, a list and a lock look like, as SVG. */
final class SketchDrawing {
  static final int WIDTH = 440;

  private static final int ENTRY_HEIGHT = 92;
  private static final int LIST_HEIGHT = 84;
  private static final int LINE = 15;
  private static final int CELL = 22;
  private static final int CELLS = 12;
  private static final int LINE_LENGTH = 64;

  private SketchDrawing() {}

  static void add(XmlText html, Finding.Sketch sketch) {
    List<String> lock = lines(sketch.lock());
    int height =
        sketch.entries().size() * ENTRY_HEIGHT
            + (sketch.list().isEmpty() ? 0 : LIST_HEIGHT)
            + (lock.isEmpty() ? 0 : 14 + LINE * lock.size());
    html.add(
        "<figure><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n",
        WIDTH, height, spoken(sketch));
    int y = 0;
    for (Finding.Entry entry : sketch.entries()) {
      entry(html, entry, y);
      y += ENTRY_HEIGHT;
    }
    if (!sketch.list().isEmpty()) {
      list(html, sketch.list(), y);
      y += LIST_HEIGHT;
    }
    if (!lock.isEmpty()) {
      lock(html, lock, y);
    }
    html.raw("</svg>\n");
    if (sketch.entries().stream().anyMatch(Finding.Entry::isMarked)) {
      html.raw("<figcaption>The coloured bit says: no struct page.</figcaption>\n");
    }
    html.raw("</figure>\n");
  }

  /** {@return the drawing in words, for those who do not see it} */
  private static String spoken(Finding.Sketch sketch) {
    String text =
        sketch.entries().stream()
            .map(
                entry ->
                    "Entry of %s on %s: 0x%x, %s%s. "
                        .formatted(
                            entry.caption(),
                            entry.layout(),
                            entry.value(),
                            entry.bits(),
                            entry.isMarked() ? ", marked as having no struct page" : ""))
            .collect(Collectors.joining());
    if (!sketch.list().isEmpty()) {
      text +=
          sketch.list().stream()
              .map(each -> each.note().isEmpty() ? each.name() : each.name() + ", " + each.note())
              .collect(Collectors.joining("; ", "The list mem_segs: ", ". "));
    }
    return sketch.lock().isEmpty() ? text.strip() : text + "Lock: " + sketch.lock();
  }

  /** The page number as one box, and twelve bits one by one: those among which the mark is. */
  private static void entry(XmlText html, Finding.Entry entry, int y) {
    html.add("<text x=\"0\" y=\"%d\" class=\"cap\">%s</text>\n", y + 14, entry.caption());
    html.add(
        "<text x=\"%d\" y=\"%d\" class=\"hex\" text-anchor=\"end\">0x%016x</text>\n",
        WIDTH, y + 14, entry.value());
    boolean high = Long.numberOfTrailingZeros(entry.mark()) < 64 && entry.mark() >>> 52 != 0;
    int top = y + 34;
    int wide = WIDTH - CELLS * CELL;
    int first = high ? 52 : 0;
    int cellsAt = high ? 0 : wide;
    int wideAt = high ? CELLS * CELL : 0;
    html.add(
        "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"24\" class=\"box pfn\"/>\n",
        wideAt, top, wide);
    String number =
        high
            ? "pfn, access …%012x".formatted(entry.value() & (1L << 48) - 1)
            : "pfn 0x%x".formatted(entry.value() << 12 >>> 24);
    html.add(
        "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" class=\"%s\">%s</text>\n",
        wideAt + wide / 2, top + 16, high ? "tiny" : "bit", number);
    for (int i = 0; i < CELLS; i++) {
      int bit = first + CELLS - 1 - i;
      boolean mark = (entry.mark() >>> bit & 1) != 0;
      boolean set = (entry.value() >>> bit & 1) != 0;
      int x = cellsAt + i * CELL;
      html.add(
          "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"24\" class=\"box%s\"/>\n",
          x, top, CELL, mark ? set ? " mark" : " unmarked" : set ? " set" : "");
      html.add(
          "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" class=\"bit%s\">%d</text>\n",
          x + CELL / 2, top + 16, mark && set ? " onmark" : "", set ? 1 : 0);
      html.add(
          "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" class=\"tiny\">%d</text>\n",
          x + CELL / 2, top - 4, bit);
    }
    html.add("<text x=\"0\" y=\"%d\" class=\"note\">%s</text>\n", top + 38, entry.bits());
  }

  private static void list(XmlText html, List<Finding.Chunk> chunks, int y) {
    int gap = 16;
    int label = 88;
    int width = Math.min(110, (WIDTH - label) / chunks.size() - gap);
    html.add("<text x=\"0\" y=\"%d\" class=\"cap\">mem_segs</text>\n", y + 34);
    for (int i = 0; i < chunks.size(); i++) {
      Finding.Chunk chunk = chunks.get(i);
      int x = label + i * (width + gap);
      html.add(
          "<path d=\"M%d %dh%dm-5 -4l5 4l-5 4\" class=\"arrow\"/>\n", x - gap + 2, y + 30, gap - 4);
      html.add(
          "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"32\" rx=\"3\" class=\"box %s\"/>\n",
          x, y + 14, width, chunk.frames() ? "ram" : "seg");
      html.add(
          "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" class=\"bit\">%s</text>\n",
          x + width / 2, y + 34, chunk.name());
      html.add(
          "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" class=\"tiny\">%s</text>\n",
          x + width / 2,
          y + 60,
          chunk.note().isEmpty()
              ? chunk.frames() ? "struct pages" : "none"
              : chunk.note().replace("flag: ", "\u2691 "));
    }
  }

  private static void lock(XmlText html, List<String> lines, int y) {
    html.add(
        "<path d=\"M5 %dv-4a5 5 0 0 1 10 0v4\" class=\"shackle\"/>"
            + "<rect x=\"2\" y=\"%d\" width=\"16\" height=\"12\" rx=\"2\" class=\"lock\"/>\n",
        y + 10, y + 9);
    for (int i = 0; i < lines.size(); i++) {
      html.add(
          "<text x=\"26\" y=\"%d\" class=\"note\">%s</text>\n", y + 19 + i * LINE, lines.get(i));
    }
  }

  private static List<String> lines(String text) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : text.split(" ")) {
      if (!line.isEmpty() && line.length() + word.length() >= LINE_LENGTH) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    if (!line.isEmpty()) {
      lines.add(line.toString());
    }
    return lines;
  }
}
