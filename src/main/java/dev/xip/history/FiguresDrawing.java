package dev.xip.history;

import dev.xip.measure.XmlText;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Draws figures as bars on a linear scale, as SVG. */
final class FiguresDrawing {
  private static final int NAMES = 150;
  private static final int NUMBERS = 64;
  private static final int BARS = SketchDrawing.WIDTH - NAMES - NUMBERS;
  private static final int ROW = 18;
  private static final int GAP = 8;

  private FiguresDrawing() {}

  static void add(XmlText html, Finding.Figures figures) {
    int columns = figures.columns().size();
    int height = figures.contenders().size() * (columns * ROW + GAP) + 4;
    double most = figures.most();
    html.add(
        "<figure><figcaption>%s, %s</figcaption>\n<svg viewBox=\"0 0 %d %d\" role=\"img\""
            + " aria-label=\"%s\">\n",
        figures.title(), figures.unit(), SketchDrawing.WIDTH, height, spoken(figures));
    int y = 0;
    for (Finding.Contender each : figures.contenders()) {
      boolean bit = each.name().equals("special-bit");
      for (int i = 0; i < columns; i++) {
        double value = each.values().get(i);
        double length = Math.max(1, BARS * value / most);
        if (i == 0) {
          html.add("<text x=\"0\" y=\"%d\" class=\"name\">%s</text>\n", y + 13, each.name());
        }
        if (columns > 1) {
          // The unit of the column is in the first row of each contender.
          html.add(
              "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" class=\"tiny\">%s</text>\n",
              NAMES - 6, y + 13, figures.columns().get(i).split(" ")[0]);
        }
        html.add(
            "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"12\" class=\"%s\"/>\n",
            NAMES, y + 3, length, bit ? "bar bitbar" : "bar");
        html.add(
            "<text x=\"%.1f\" y=\"%d\" class=\"note\">%s</text>\n",
            NAMES + length + 4, y + 13, number(value));
        y += ROW;
      }
      y += GAP;
    }
    html.raw("</svg>");
    if (columns > 1) {
      html.add("<p class=\"small\">The small number before each bar: loaded %s.</p>", "segments");
    }
    html.raw("</figure>\n");
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, value < 100 ? "%.2f" : "%,.0f", value);
  }

  private static String spoken(Finding.Figures figures) {
    return figures.contenders().stream()
        .map(
            each ->
                IntStream.range(0, figures.columns().size())
                    .mapToObj(
                        i ->
                            (figures.columns().size() > 1 ? figures.columns().get(i) + ": " : "")
                                + number(each.values().get(i)))
                    .collect(Collectors.joining(", ", each.name() + ": ", " " + figures.unit())))
        .collect(Collectors.joining("; ", figures.title() + ". ", "."));
  }
}
