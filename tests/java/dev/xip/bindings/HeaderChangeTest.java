package dev.xip.bindings;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.host.Libxip;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * {@link BoundHeader#drift} names what was changed in a header: each constant, field, function and
 * parameter is changed in turn, in a copy.
 */
class HeaderChangeTest {
  private static final List<BoundHeader> HEADERS = BoundHeader.ALL;

  @TempDir Path folder;

  /**
   * One change of a header.
   *
   * @param name what must be named
   * @param where a regular expression, whose first match in the header is replaced
   * @param by the replacement
   */
  private record Change(String name, String where, String by) {}

  @BeforeAll
  static void loadTheFunctions() {
    Libxip.get();
  }

  @ParameterizedTest
  @FieldSource("HEADERS")
  void eachChangeIsNamed(BoundHeader bound) throws IOException {
    CHeader header = CHeader.read(BoundHeader.INCLUDE, bound.name());
    String text = Files.readString(BoundHeader.INCLUDE.resolve("xip").resolve(bound.name()));
    List<Change> changes = changes(header);
    List<String> unseen =
        changes.parallelStream()
            .filter(change -> !isNamed(bound, text, change))
            .map(Change::toString)
            .toList();
    assertThat(unseen).as("of %d changes", changes.size()).isEmpty();
  }

  private boolean isNamed(BoundHeader bound, String text, Change change) {
    String changed = text.replaceFirst("(?m)" + change.where, change.by);
    assertThat(changed).as(change.toString()).isNotEqualTo(text);
    try {
      Path include = Files.createTempDirectory(folder, "include");
      Files.writeString(
          Files.createDirectory(include.resolve("xip")).resolve(bound.name()), changed);
      return bound.drift(include).stream().anyMatch(line -> names(line, change.name));
    } catch (IOException e) {
      throw new UncheckedIOException(change.toString(), e);
    }
  }

  private static boolean names(String line, String name) {
    return line.startsWith(name + ":")
        || line.startsWith(name + " ")
        || line.contains("'" + name + "'")
        || line.contains("type of " + name + "\"");
  }

  private static List<Change> changes(CHeader header) {
    List<Change> changes = new ArrayList<>();
    for (String each : header.constants) {
      changes.add(new Change(each, "^(#define %s) +(\\S+)".formatted(each), "$1 ($2 + 1)"));
    }
    header.structs.forEach((struct, fields) -> change(changes, struct, fields));
    for (CHeader.Function function : header.functions) {
      change(changes, function);
    }
    return changes;
  }

  /** Structs: a field more. Fields: another size, another type of the same size. */
  private static void change(List<Change> changes, String struct, List<String> fields) {
    String begin = "(struct %s \\{[^}]*?)".formatted(struct);
    changes.add(new Change(struct, begin + "}", "$1  char more;\n}"));
    for (String each : fields) {
      String name = struct + "." + each;
      String declared = "\n( *[\\w *]*?)\\b(%s)((?:\\[\\w+])?;)".formatted(each);
      changes.add(new Change(name, begin + declared, "$1\n$2$3[2]$4"));
      changes.add(new Change(name, begin + declared, "$1\nunsigned char $3[sizeof($2)]$4"));
    }
  }

  /** Functions: another result, one parameter more, and parameters of other types. */
  private static void change(List<Change> changes, CHeader.Function function) {
    String name = function.name();
    String begin = "(^[a-z][\\w *(]*?)\\b(%s)(\\)?\\()".formatted(name);
    boolean none = function.names().isEmpty();
    changes.add(
        function.isType()
            ? new Change(name, "^typedef \\w+( \\(\\*%s\\))".formatted(name), "typedef short$1")
            : new Change(name, begin, "$1*$2$3"));
    changes.add(
        new Change(name, begin + (none ? "void" : ""), "$1$2$3int more" + (none ? "" : ", ")));
    for (String each : function.names()) {
      changes.add(new Change(name, begin + "([^)]*?)\\b(%s[,)])".formatted(each), "$1$2$3$4*$5"));
    }
  }
}
