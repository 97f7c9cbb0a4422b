package dev.xip.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Tables of the rule book. */
public final class RulesTable {
  private static final Path RULES = Path.of("src/site/markdown/rules.md");

  private RulesTable() {}

  /**
   * The first table under a heading, up to the next heading.
   *
   * @return its rows, the first two of which are the head and the line below it; cells are stripped
   */
  public static List<List<String>> under(String heading) throws IOException {
    List<List<String>> rows = new ArrayList<>();
    boolean inside = false;
    for (String line : Files.readAllLines(RULES)) {
      inside = line.startsWith("#") ? line.equals(heading) : inside;
      if (inside && line.startsWith("|")) {
        rows.add(Arrays.stream(line.substring(1).split("\\|")).map(String::strip).toList());
      } else if (!rows.isEmpty()) {
        break;
      }
    }
    return rows;
  }
}
