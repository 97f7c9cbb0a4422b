package dev.xip.measure;

/**
 * One figure of a comparison of strategies.
 *
 * @param name the comparison, such as {@code fork-exit}
 * @param strategy the strategy of the normal-page test, or the name of the limit
 * @param segments the number of loaded segments
 * @param threads the number of threads at work
 * @param unit the unit of the median, such as {@code ns/entry}
 * @param median the median of all rounds, NaN if the strategy fails
 * @param note how it fails, in one line; else empty
 */
public record BenchRow(
    String name,
    String strategy,
    int segments,
    int threads,
    String unit,
    double median,
    String note) {}
