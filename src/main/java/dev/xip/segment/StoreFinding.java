package dev.xip.segment;

import java.nio.file.Path;

/**
 * Something in a store that is not in order.
 *
 * @param file the file that it is about
 * @param leftover whether a dead user or a dead writer left it, so that {@link SegmentStore#clean}
 *     deletes it; otherwise it is damage, or a file that no store has
 * @param problem what is wrong with it
 */
public record StoreFinding(Path file, boolean leftover, String problem) {
  @Override
  public String toString() {
    return file + ": " + problem;
  }
}
