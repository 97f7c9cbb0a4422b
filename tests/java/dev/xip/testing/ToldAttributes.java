package dev.xip.testing;

import dev.xip.base.FileName;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Extended attributes and access control lists of a tree of this host's kernel, as getfattr and
 * getfacl tell them.
 */
public final class ToldAttributes {
  private static final String FILE = "# file: ";

  private ToldAttributes() {}

  /**
   * Asks getfattr for all attributes of all files, links not followed.
   *
   * @param root the folder whose tree is read
   * @return by path from the folder, empty for itself: the values in hex by name; files that have
   *     none are missing
   * @throws IOException if it fails
   */
  public static SortedMap<FileName, SortedMap<FileName, String>> attributes(Path root)
      throws IOException {
    SortedMap<FileName, SortedMap<FileName, String>> all = new TreeMap<>();
    told(root, "", "getfattr -h -d -m - -e hex")
        .forEach(
            (path, lines) -> {
              SortedMap<FileName, String> values = new TreeMap<>();
              for (String each : lines) {
                int equals = each.lastIndexOf("=0x");
                values.put(unescaped(each.substring(0, equals)), each.substring(equals + 3));
              }
              all.put(path, values);
            });
    return all;
  }

  /**
   * Asks getfacl for the rights that all files but links give, the mask applied: as in {@code
   * user:1234:r-x}, and with {@code default:} before those that new files inherit.
   *
   * @param root the folder whose tree is read
   * @return the entries by path from the folder, empty for itself
   * @throws IOException if it fails
   */
  public static SortedMap<FileName, SortedSet<String>> rights(Path root) throws IOException {
    SortedMap<FileName, SortedSet<String>> all = new TreeMap<>();
    told(root, "! -type l", "getfacl -n -e -p")
        .forEach(
            (path, lines) -> {
              SortedSet<String> entries = new TreeSet<>();
              for (String each : lines) {
                if (!each.matches("#.*|(default:)?mask:.*")) {
                  entries.add(each.replaceFirst("[r-][w-][x-]\t+#effective:", ""));
                }
              }
              all.put(path, entries);
            });
    return all;
  }

  /** The lines that a tool prints about each file, without that of its name. */
  private static SortedMap<FileName, List<String>> told(Path root, String which, String tool)
      throws IOException {
    Judge.program(tool.substring(0, tool.indexOf(' ')));
    String script = "cd \"$0\" && find . %s -print0 | xargs -0 %s --".formatted(which, tool);
    SortedMap<FileName, List<String>> all = new TreeMap<>();
    for (String each : Processes.run("sh", "-c", script, root.toString()).out().split("\n\n")) {
      List<String> lines = List.of(each.split("\n"));
      if (lines.getFirst().startsWith(FILE)) {
        String path = lines.getFirst().substring(FILE.length()).replaceFirst("^\\.(/|$)", "");
        all.put(unescaped(path), lines.subList(1, lines.size()));
      }
    }
    return all;
  }

  /** Some bytes are written as octal numbers, and a backslash twice. */
  private static FileName unescaped(String text) {
    StringBuilder plain = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) == '\\') {
        boolean twice = text.startsWith("\\", i + 1);
        plain.append(twice ? '\\' : (char) Integer.parseInt(text.substring(i + 1, i + 4), 8));
        i += twice ? 1 : 3;
      } else {
        plain.append(text.charAt(i));
      }
    }
    return FileName.of(plain.toString().getBytes(StandardCharsets.ISO_8859_1));
  }
}
