package dev.xip.measure;

import java.util.List;

/**
 * What one piece of work costs as something grows.
 *
 * @param name the work, such as {@code look up a file}
 * @param scale what grows, such as {@code files}
 * @param unit what the medians count, such as {@code ns}
 * @param points the sizes that were tried, ascending, with what they cost
 */
public record Growth(String name, String scale, String unit, List<Point> points) {
  /** Below this power of the size, a cost does not grow with it: caches and noise do as much. */
  private static final double CONSTANT = 0.12;

  /** Below this power, a cost grows as a logarithm does over three and more powers of ten. */
  private static final double LOGARITHMIC = 0.4;

  private static final double LINEAR = 1.3;

  /**
   * One size.
   *
   * @param size how large, in the unit of the scale
   * @param median what the work cost
   */
  public record Point(long size, double median) {}

  /**
   * Returns the power of the size that the cost follows, by least squares over the logarithms of
   * both.
   *
   * @return 0 for a constant, 1 for a cost that grows as the size
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

  /**
   * Names the growth.
   *
   * @return constant, logarithmic, linear or steeper
   */
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
