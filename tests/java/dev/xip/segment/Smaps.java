package dev.xip.segment;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The figures of smaps, proc(5), for a process's mappings of one file. */
public final class Smaps {
  private static final Pattern MAPPING =
      Pattern.compile("([0-9a-f]+)-([0-9a-f]+) (\\S+) \\S+ \\S+ \\S+ *(.*)");
  private static final Pattern FIGURE =
      Pattern.compile("(Size|Rss|Pss|Shared_Clean|Private_Clean|Private_Dirty): +([0-9]+) kB");

  private Smaps() {}

  /**
   * Adds up the figures of the mappings of a file.
   *
   * @param pid the process
   * @param file the file
   * @return bytes by the names that smaps has, as far as tests ask for them
   */
  public static Map<String, Long> of(long pid, Path file) throws IOException {
    Map<String, Long> sums = new TreeMap<>();
    boolean inside = false;
    for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/smaps"))) {
      Matcher mapping = MAPPING.matcher(line);
      Matcher figure = FIGURE.matcher(line);
      if (mapping.matches()) {
        inside = mapping.group(4).equals(file.toString());
      } else if (inside && figure.matches()) {
        sums.merge(figure.group(1), Long.parseLong(figure.group(2)) << 10, Long::sum);
      }
    }
    return sums;
  }
}
