package dev.xip.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The mappings of this process, proc(5), to verify what a test left behind. */
final class ProcMaps {
  private ProcMaps() {}

  /** The lines of /proc/self/maps that cover a part of the range. */
  static List<String> overlapping(long start, long length) throws IOException {
    return Files.readAllLines(Path.of("/proc/self/maps")).stream()
        .filter(
            line -> {
              String[] ends = line.substring(0, line.indexOf(' ')).split("-");
              // The vsyscall page lies past 2^63.
              long from = Long.parseUnsignedLong(ends[0], 16);
              long to = Long.parseUnsignedLong(ends[1], 16);
              return from >= 0 && from < start + length && start < to;
            })
        .toList();
  }

  /** The lines of /proc/self/maps that contain a text. */
  static List<String> containing(String text) throws IOException {
    return Files.readAllLines(Path.of("/proc/self/maps")).stream()
        .filter(line -> line.contains(text))
        .toList();
  }
}
