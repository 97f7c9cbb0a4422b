package dev.xip.measure;

import java.util.List;

/**
 * The cost of one piece of work as something grows.
 *
 * @param name the work, such as {@code look up a file}
 * @param scale what grows, such as {@code files}
 * @param unit the unit of the medians, such as {@code ns}
 * @param points the sizes, ascending, with their costs
 */
public record Growth(String name, String scale, String unit, List<Point> points) {
  /** Below this power of the size a cost is constant: caches and noise cause as much growth. */
  private static final double CONSTANT = 0.12;

  /** Below this power growth is logarithmic, as seen over three and more powers of ten. */
  private static final double LOGARITHMIC = 0.4;

  private static final double LINEAR = 1.3;

  /**
   * One size.
   *
   * @param size the size, in the unit of the scale
   * @param median the cost of the work
   */
  public record Point(long size, double median) {}

  /**
   * {@return the power of the size that the cost follows, by least squares over the logarithms of
   * both: 0 for a constant, 1 for linear growth}
   */
  public double power() {
    double meanX = points.stream().mapToDouble(p -> Math.log(p.size())).average().orElseThrow();
    double meanY = points.stream().mapToDouble(p -> Math.log(p.median())).average().orElseThrow();
    double covariance = 0;
    double variance = 0;
    for (Point point : points) {
      double x = Math.log(point.size()) - meanX;
      covariance += x * (Math.log(point.median()) - meanY);
      variance += x * x;
    }
    return covariance / variance;
  }

  /** {@return constant, logarithmic, linear or steeper than linear} */
  public String kind() {
    double power = power();
    if (power < CONSTANT) {
      return "constant";
    }
    if (power < LOGARITHMIC) {
      return "logarithmic";
    }
    return power < LINEAR ? "linear" : "steeper than linear";
  }
}
