package dev.xip.measure;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.geom.AffineTransform;
import java.util.List;
import org.knowm.xchart.internal.chartpart.IChart;

/**
 * Several charts in one picture, row by row. Each has axes of its own, so that an axis has one
 * subject.
 *
 * @param columns how many charts there are in a row
 * @param charts the charts, of which those of one row have one size
 */
record ChartGrid(int columns, List<? extends IChart> charts) implements IChart {
  @Override
  public void paint(Graphics2D graphics, int width, int height) {
    graphics.setColor(Color.WHITE);
    graphics.fillRect(0, 0, width, height);
    AffineTransform origin = graphics.getTransform();
    int top = 0;
    for (int i = 0; i < charts.size(); i++) {
      IChart chart = charts.get(i);
      int column = i % columns;
      graphics.translate(column * chart.getWidth(), top);
      chart.paint(graphics, chart.getWidth(), chart.getHeight());
      graphics.setTransform(origin);
      top += column == columns - 1 ? chart.getHeight() : 0;
    }
  }

  @Override
  public int getWidth() {
    return Math.min(columns, charts.size()) * charts.getFirst().getWidth();
  }

  @Override
  public int getHeight() {
    int height = 0;
    for (int i = 0; i < charts.size(); i += columns) {
      height += charts.get(i).getHeight();
    }
    return height;
  }

  @Override
  public String getTitle() {
    return charts.getFirst().getTitle();
  }
}
