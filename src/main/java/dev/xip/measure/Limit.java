package dev.xip.measure;

/**
 * What bare memory reaches on this machine at the same work, measured in the same run. Where that
 * misses the goal as well, no design can reach it here, and the figure is judged by how near it
 * comes to the memory.
 *
 * @param median what the memory needs, in the figure's own unit
 * @param raw what that is held against, as the figure is against its {@code raw}
 * @param share how much of what the memory reaches the figure must reach, at most 1
 */
public record Limit(double median, double raw, double share) {}
