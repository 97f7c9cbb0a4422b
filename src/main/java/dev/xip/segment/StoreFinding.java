package dev.xip.segment;

import java.nio.file.Path;

/**
 * Something wrong in a store.
 *
 * @param file the file that it is about
 * @param leftover whether a killed user or writer left it, so that {@link SegmentStore#clean}
 *     deletes it; otherwise it is damage, or a file that does not belong to a store
 * @param problem what is wrong with it
 */
public record StoreFinding(Path file, boolean leftover, String problem) {
  @Override
  public String toString() {
    return file + ": " + problem;
  }
}
