package dev.xip.measure;

import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.knowm.xchart.HorizontalBarChart;
import org.knowm.xchart.HorizontalBarChartBuilder;
import org.knowm.xchart.style.HorizontalBarStyler;

/**
 * Draws each figure as a bar that begins at its goal: in one chart those that met it, to the left
 * by the margin, in another below those that missed it, to the right by what is missing, both for
 * goals of cost and of being ahead. The axes are logarithmic.
 */
public final class FigureChart {
  private static final int WIDTH = 1100;
  private static final int ROW_HEIGHT = 24;
  private static final int FRAME_HEIGHT = 80;

  /** The room for the longest row name, so that both charts begin at one place. */
  private static final int LABEL_WIDTH = 525;

  /** The longest bar, as a power of two: 64 times the goal. */
  private static final double LONGEST = 6;

  static final Color MET = new Color(0x2E7D32);
  static final Color MISSED = new Color(0xC62828);

  private FigureChart() {}

  /**
   * Draws.
   *
   * @param figures the figures, from the top
   * @param file the chart, a PNG or SVG by its suffix; replaced if it exists
   * @throws IOException if the suffix is neither, the file cannot be written, or no figure has a
   *     goal
   */
  public static void write(List<Figure> figures, Path file) throws IOException {
    List<Figure> judged =
        figures.stream().filter(each -> each.goal().sense() != Goal.Sense.NONE).toList();
    Drawing.format(file);
    if (judged.isEmpty()) {
      throw new IOException("chart " + file + ": expected figures with goals, found none");
    }
    Drawing.write(() -> new ChartGrid(1, charts(judged)), file);
  }

  private static List<HorizontalBarChart> charts(List<Figure> figures) {
    Map<Boolean, List<Figure>> parts =
        figures.stream().collect(Collectors.partitioningBy(Figure::met));
    List<HorizontalBarChart> charts = new ArrayList<>();
    for (boolean met : new boolean[] {true, false}) {
      if (!parts.get(met).isEmpty()) {
        charts.add(chart(parts.get(met), met));
      }
    }
    return charts;
  }

  private static HorizontalBarChart chart(List<Figure> figures, boolean met) {
    double longest =
        figures.stream().mapToDouble(FigureChart::length).map(Math::abs).max().orElseThrow();
    double end = Math.max(1, Math.ceil(longest)); // no longer than the bars need
    HorizontalBarChart chart =
        new HorizontalBarChartBuilder()
            .width(WIDTH)
            .height(FRAME_HEIGHT + ROW_HEIGHT * figures.size())
            .title(
                met
                    ? "Goals that were met: the share of its goal that each figure takes"
                    : "Goals that were missed: how many times its goal each figure takes")
            .xAxisTitle("times its goal; " + Processor.name())
            .build();
    List<String> labels = figures.stream().map(FigureChart::label).toList();
    List<Double> lengths = figures.stream().map(FigureChart::length).toList();
    chart.addSeries(met ? "met" : "missed", lengths, labels).setFillColor(met ? MET : MISSED);
    HorizontalBarStyler styler = chart.getStyler();
    styler.setLabelsVisible(false);
    styler.setXAxisMin(met ? -end : 0);
    styler.setXAxisMax(met ? 0 : end);
    // XChart omits row names by the spacing hint of the other axis.
    styler.setXAxisTickMarkSpacingHint(ROW_HEIGHT / 2);
    styler.setXAxisTickLabelsFormattingFunction(FigureChart::factor);
    styler.setLegendVisible(false);
    styler.setChartBackgroundColor(Color.WHITE);
    styler.setPlotContentSize(0.98);
    styler.setYAxisLeftWidthHint(LABEL_WIDTH);
    styler.setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
    styler.setAxisTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
    styler.setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 13));
    return chart;
  }

  private static String factor(double power) {
    if (power != Math.rint(power)) {
      return power < 0 ? "" : "%.2f".formatted(Math.pow(2, power));
    }
    return power < 0 ? "1/" + (1 << (int) -power) : Integer.toString(1 << (int) power);
  }

  private static String label(Figure figure) {
    StringBuilder label = new StringBuilder(figure.name());
    figure
        .params()
        .forEach(
            (name, value) ->
                label.append(name.equals("bytes") ? ", " : ", " + name + " ").append(value));
    if (!figure.against().isEmpty()) {
      label.append(", against ").append(figure.against());
    }
    return label.append(figure.isLimited() ? " (as memory allows)" : "").toString();
  }

  /** {@return the bar, as a power of two: below 0 if the goal was met by a margin} */
  private static double length(Figure figure) {
    return Math.clamp(Math.log(share(figure)) / Math.log(2), -LONGEST, LONGEST);
  }

  /** {@return the share of the goal that is used up: 1 if it is just met, less if by a margin} */
  private static double share(Figure figure) {
    Goal goal = figure.effectiveGoal();
    double measured = goal.measure(figure.median(), figure.raw());
    return goal.sense() == Goal.Sense.AHEAD_AT_LEAST
        ? goal.bound() / measured
        : measured / goal.bound();
  }
}
