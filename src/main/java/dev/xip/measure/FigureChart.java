package dev.xip.measure;

import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.knowm.xchart.HorizontalBarChart;
import org.knowm.xchart.HorizontalBarChartBuilder;
import org.knowm.xchart.style.HorizontalBarStyler;
import org.knowm.xchart.style.Styler.LegendPosition;

/**
 * Draws each figure as a bar that begins at its goal: to the left by the margin if the goal was
 * met, to the right if it was missed, both for goals of cost and of being ahead. The axis is
 * logarithmic.
 */
public final class FigureChart {
  private static final int WIDTH = 1100;
  private static final int ROW_HEIGHT = 26;
  private static final int FRAME_HEIGHT = 130;

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
   * @throws IOException if the suffix is neither or the file cannot be written
   */
  public static void write(List<Figure> figures, Path file) throws IOException {
    Drawing.write(() -> chart(figures), file);
  }

  private static HorizontalBarChart chart(List<Figure> figures) {
    HorizontalBarChart chart =
        new HorizontalBarChartBuilder()
            .width(WIDTH)
            .height(FRAME_HEIGHT + ROW_HEIGHT * figures.size())
            .title(
                "Share of its goal that each figure takes (1 = just met); %s"
                    .formatted(Processor.name()))
            .build();
    List<String> labels = new ArrayList<>();
    List<Double> met = new ArrayList<>();
    List<Double> missed = new ArrayList<>();
    for (Figure figure : figures) {
      if (figure.goal().sense() == Goal.Sense.NONE) {
        continue;
      }
      labels.add(label(figure));
      double length = Math.clamp(Math.log(share(figure)) / Math.log(2), -LONGEST, LONGEST);
      met.add(figure.met() ? length : 0);
      missed.add(figure.met() ? 0 : length);
    }
    chart.addSeries("met", met, labels).setFillColor(MET);
    chart.addSeries("missed", missed, labels).setFillColor(MISSED);
    HorizontalBarStyler styler = chart.getStyler();
    styler.setLabelsVisible(false);
    styler.setXAxisMin(-LONGEST);
    styler.setXAxisMax(LONGEST);
    // XChart omits row names by the spacing hint of the other axis.
    styler.setXAxisTickMarkSpacingHint(ROW_HEIGHT / 2);
    styler.setXAxisTickLabelsFormattingFunction(FigureChart::factor);
    styler.setLegendPosition(LegendPosition.OutsideS);
    styler.setChartBackgroundColor(Color.WHITE);
    styler.setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
    return chart;
  }

  private static String factor(double power) {
    if (power != Math.rint(power)) {
      return "";
    }
    return power < 0 ? "1/" + (1 << (int) -power) : Integer.toString(1 << (int) power);
  }

  private static String label(Figure figure) {
    String params = String.join(", ", figure.params().values());
    String against = figure.against().isEmpty() ? "" : " : " + figure.against();
    return figure.name()
        + (params.isEmpty() ? "" : ", " + params)
        + against
        + (figure.isLimited() ? ", as raw" : "");
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
