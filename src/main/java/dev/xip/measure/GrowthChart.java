package dev.xip.measure;

import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * Draws growth, one chart for each thing that grows. Both axes are logarithmic: a constant is flat,
 * linear growth a diagonal.
 */
public final class GrowthChart {
  private static final int WIDTH = 660;
  private static final int PLOT_HEIGHT = 340;
  private static final int LEGEND_ROW = 22;

  private GrowthChart() {}

  /**
   * Draws.
   *
   * @param lines the growth to draw
   * @param file the chart, a PNG or SVG by its suffix; replaced if it exists
   * @throws IOException if the suffix is neither, the file cannot be written, or there is no line
   */
  public static void write(List<Growth> lines, Path file) throws IOException {
    Drawing.format(file);
    if (lines.isEmpty()) {
      throw new IOException("chart " + file + ": expected figures that grow, found none");
    }
    SequencedMap<String, List<Growth>> subjects =
        lines.stream()
            .collect(
                Collectors.groupingBy(
                    each -> each.scale() + ", " + each.unit(),
                    LinkedHashMap::new,
                    Collectors.toList()));
    int most = subjects.values().stream().mapToInt(List::size).max().orElseThrow();
    Drawing.write(
        () -> new ChartGrid(2, subjects.values().stream().map(each -> chart(each, most)).toList()),
        file);
  }

  private static XYChart chart(List<Growth> lines, int legendRows) {
    String scale = lines.getFirst().scale();
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(PLOT_HEIGHT + LEGEND_ROW * legendRows)
            .title("Cost as the number grows: " + scale)
            .xAxisTitle(scale)
            .yAxisTitle(lines.getFirst().unit())
            .build();
    for (Growth line : lines) {
      chart
          .addSeries(
              line.name() + ": " + line.kind(),
              line.points().stream().mapToDouble(Growth.Point::size).toArray(),
              line.points().stream().mapToDouble(Growth.Point::median).toArray())
          .setMarker(SeriesMarkers.CIRCLE);
    }
    XYStyler styler = chart.getStyler();
    styler.setXAxisLogarithmic(true);
    styler.setYAxisLogarithmic(true);
    styler.setYAxisMin(decade(medians(lines).min().orElseThrow(), false));
    styler.setYAxisMax(decade(medians(lines).max().orElseThrow(), true));
    styler.setXAxisTickLabelsFormattingFunction(GrowthChart::number);
    styler.setYAxisTickLabelsFormattingFunction(GrowthChart::number);
    styler.setLegendPosition(LegendPosition.OutsideS);
    styler.setLegendBorderColor(Color.WHITE);
    styler.setChartBackgroundColor(Color.WHITE);
    styler.setSeriesColors(
        new Color[] {
          new Color(0x1565C0), new Color(0x2E7D32), new Color(0xC62828), new Color(0x6A1B9A)
        });
    styler.setLegendFont(new Font(Font.SANS_SERIF, Font.PLAIN, 10));
    styler.setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
    styler.setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 13));
    return chart;
  }

  private static DoubleStream medians(List<Growth> lines) {
    return lines.stream().flatMap(each -> each.points().stream()).mapToDouble(Growth.Point::median);
  }

  /** {@return the power of ten below a cost, or above it} */
  private static double decade(double cost, boolean above) {
    double power = Math.log10(cost);
    return Math.pow(10, above ? Math.floor(power) + 1 : Math.floor(power));
  }

  private static String number(double value) {
    return value < 1 ? Double.toString(value) : "%,d".formatted((long) value);
  }
}
