package dev.xip.measure;

import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * What the normal-page test costs one kind of work on ordinary memory.
 *
 * @param work the kind, such as {@code fork + exit, anonymous}
 * @param strategy the strategy that answers
 * @param segments the number of loaded segments, none of which the process maps
 * @param median the median nanoseconds of the work for each page
 * @param spread how far the middle half of the rounds lies apart, in percent of the median
 * @param questions how often the strategy is asked for each page
 * @param share the percentage of the work that the questions take: their number times what one
 *     costs in a loop of nothing else
 * @param againstBit by how many percent the work takes longer than with the special bit, in rounds
 *     side by side; the special bit against itself shows the noise
 */
public record FivePercentRow(
    String work,
    String strategy,
    int segments,
    double median,
    double spread,
    double questions,
    double share,
    double againstBit) {
  private static final String SEPARATOR = "\t";

  /**
   * Takes the median of each number.
   *
   * @param rows rows of the same work, strategy and number of segments
   * @return one row
   */
  static FivePercentRow median(List<FivePercentRow> rows) {
    FivePercentRow first = rows.getFirst();
    return new FivePercentRow(
        first.work,
        first.strategy,
        first.segments,
        median(rows, FivePercentRow::median),
        median(rows, FivePercentRow::spread),
        median(rows, FivePercentRow::questions),
        median(rows, FivePercentRow::share),
        median(rows, FivePercentRow::againstBit));
  }

  private static double median(List<FivePercentRow> rows, ToDoubleFunction<FivePercentRow> number) {
    return rows.stream().mapToDouble(number).sorted().toArray()[rows.size() / 2];
  }

  /** {@return the row as one line, for {@link #ofLine}} */
  public String toLine() {
    return String.join(
        SEPARATOR,
        List.of(
            work,
            strategy,
            Integer.toString(segments),
            Double.toString(median),
            Double.toString(spread),
            Double.toString(questions),
            Double.toString(share),
            Double.toString(againstBit)));
  }

  /**
   * Reads a row back.
   *
   * @param line as {@link #toLine} makes it
   * @return the row
   * @throws IllegalArgumentException if it is no such line
   */
  public static FivePercentRow ofLine(String line) {
    String[] parts = line.split(SEPARATOR, -1);
    if (parts.length != 8) {
      throw new IllegalArgumentException("a row of 8 parts expected, found: " + line);
    }
    return new FivePercentRow(
        parts[0],
        parts[1],
        Integer.parseInt(parts[2]),
        Double.parseDouble(parts[3]),
        Double.parseDouble(parts[4]),
        Double.parseDouble(parts[5]),
        Double.parseDouble(parts[6]),
        Double.parseDouble(parts[7]));
  }
}
