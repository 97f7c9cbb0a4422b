package dev.xip.measure;

import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Draws growth. Both axes are logarithmic: a constant is flat, linear growth a diagonal. */
public final class GrowthChart {
  private GrowthChart() {}

  /**
   * Draws.
   *
   * @param lines the growth to draw
   * @param file the chart, a PNG or SVG by its suffix; replaced if it exists
   * @throws IOException if the suffix is neither or the file cannot be written
   */
  public static void write(List<Growth> lines, Path file) throws IOException {
    Drawing.write(() -> chart(lines), file);
  }

  private static XYChart chart(List<Growth> lines) {
    XYChart chart =
        new XYChartBuilder()
            .width(1100)
            .height(650)
            .title("Cost as the work grows")
            .xAxisTitle("files, segments, MiB of segment, address spaces")
            .yAxisTitle("ns")
            .build();
    for (Growth line : lines) {
      XYSeries series =
          chart.addSeries(
              line.name() + ", by " + line.scale() + ": " + line.kind(),
              line.points().stream().mapToDouble(Growth.Point::size).toArray(),
              line.points().stream().mapToDouble(Growth.Point::median).toArray());
      series.setMarker(SeriesMarkers.CIRCLE);
    }
    XYStyler styler = chart.getStyler();
    styler.setXAxisLogarithmic(true);
    styler.setYAxisLogarithmic(true);
    styler.setLegendPosition(LegendPosition.OutsideS);
    styler.setChartBackgroundColor(Color.WHITE);
    return chart;
  }
}
