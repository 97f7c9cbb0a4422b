package dev.xip.measure;

/**
 * One figure of a comparison.
 *
 * @param name the comparison, such as {@code fork-exit}
 * @param strategy how it is decided whether an entry has a page frame, or the limit's name
 * @param segments how many segments are loaded
 * @param threads how many threads work at once
 * @param unit what the median counts, such as {@code ns/entry}
 * @param median the median of all rounds, NaN if the strategy cannot do the work at all
 * @param note why it cannot, in one line; else empty
 */
public record BenchRow(
    String name,
    String strategy,
    int segments,
    int threads,
    String unit,
    double median,
    String note) {}
