package dev.xip.measure;

/**
 * The median of bare memory at the same work, measured in the same run on this machine. If it
 * misses the goal too, no design can meet it here, and the figure is compared with the memory.
 *
 * @param median the median of bare memory, in the figure's unit
 * @param raw the median that it is compared with, as the figure is with its {@code raw}
 * @param share the share of what bare memory reaches that the figure must reach, at most 1
 */
public record Limit(double median, double raw, double share) {}
