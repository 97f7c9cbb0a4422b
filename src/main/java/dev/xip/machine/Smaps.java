package dev.xip.machine;

import dev.xip.host.HostPaths;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** This process's mappings as the host's kernel reports them: /proc/self/smaps, see proc(5). */
public final class Smaps {
  private static final Path SMAPS = Path.of("/proc/self/smaps");
  private static final Pattern HEADER =
      Pattern.compile("[0-9a-f]+-[0-9a-f]+ \\S+ \\S+ \\S+ \\d+\\s*(.*)", Pattern.DOTALL);

  private Smaps() {}

  /**
   * {@return the sum of a field over the mappings of a file, in bytes; 0 if it is not mapped}
   *
   * @param file the file's path
   * @param field the field's name, such as {@code Private_Dirty}
   * @throws IOException if it cannot be read
   */
  public static long sum(Path file, String field) throws IOException {
    Pattern value = Pattern.compile(field + ":\\s+(\\d+) kB");
    byte[] bytes = HostPaths.nameOf(file).bytes();
    String name = new String(bytes, StandardCharsets.ISO_8859_1).replace("\n", "\\012");
    long kibibytes = 0;
    boolean ours = false;
    try (Stream<String> lines = Files.lines(SMAPS, StandardCharsets.ISO_8859_1)) {
      for (String line : (Iterable<String>) lines::iterator) {
        Matcher header = HEADER.matcher(line);
        if (header.matches()) {
          ours = header.group(1).equals(name);
        } else if (ours) {
          Matcher found = value.matcher(line);
          kibibytes += found.matches() ? Long.parseLong(found.group(1)) : 0;
        }
      }
    }
    return kibibytes << 10;
  }
}
