package dev.xip.bindings;

import dev.xip.testing.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a header in include/xip declares. The C compiler removes comments and expands macros; what
 * is left is split at its semicolons, and a declaration of another kind than those below is
 * refused. Values, sizes, offsets and types are computed by the compiler.
 */
final class CHeader {
  private static final Pattern LINE_MARKER = Pattern.compile("# \\d+ \"(.*)\".*");
  private static final Pattern MACRO = Pattern.compile("#define (\\w+)(\\(?)(.*)");
  private static final Pattern STRUCT = Pattern.compile("struct (\\w+) \\{ (.*) }");
  private static final Pattern FIELD = Pattern.compile("[\\w *]*?(\\w+)(?:\\[[^]]+])*; ?");
  private static final Pattern FUNCTION_TYPE =
      Pattern.compile("typedef [\\w *]+\\(\\*(\\w+)\\)\\(([^()]*)\\)");
  private static final Pattern FUNCTION = Pattern.compile("[\\w *]+?(\\w+)\\(([^()]*)\\)");

  /** How the compiler tells a number: in a line of the assembly that it writes. */
  private static final String PREAMBLE =
      """
      #define SAY(what, a, b) __asm__ volatile("\\n.ascii \\"->" what "\\"" : : "i"(a), "i"(b))
      #define IS_VOID(x) __builtin_types_compatible_p(__typeof__(x), void)
      #define CLASS(x) __builtin_choose_expr( \
        IS_VOID(x), -1, __builtin_classify_type(__builtin_choose_expr(IS_VOID(x), 0, x)))
      """;

  private static final Pattern SAID = Pattern.compile("->(.*): (.*)\"");

  /**
   * A function, or a type of pointers to functions.
   *
   * @param name its name
   * @param isType whether it is a type
   * @param parameters what stands in the parentheses of the declaration
   */
  record Function(String name, boolean isType, String parameters) {
    /** {@return the names of the parameters} */
    List<String> names() {
      return parameters.equals("void")
          ? List.of()
          : Pattern.compile("(\\w+)(?:,|$)")
              .matcher(parameters)
              .results()
              .map(m -> m.group(1))
              .toList();
    }
  }

  /**
   * What the compiler says about a header.
   *
   * @param facts the numbers of each thing by its name: size and value of a constant, size and
   *     alignment of a struct, offset and size of a field, class (as __builtin_classify_type has
   *     it, -1 for void) and size of what a function takes and returns; empty if there are errors
   * @param errors a line each
   */
  record Answer(Map<String, String> facts, List<String> errors) {}

  private final Path include;
  private final String name;
  final List<String> constants = new ArrayList<>();
  final SequencedMap<String, List<String>> structs = new LinkedHashMap<>();
  final List<Function> functions = new ArrayList<>();

  private CHeader(Path include, String name) {
    this.include = include;
    this.name = name;
  }

  /**
   * Reads a header.
   *
   * @param include the folder that holds the folder xip
   * @param name the name of a file there
   */
  static CHeader read(Path include, String name) throws IOException {
    CHeader header = new CHeader(include, name);
    String file = "xip/" + name;
    String text = Processes.run("gcc", "-E", "-dD", include.resolve(file).toString()).text();
    StringBuilder declarations = new StringBuilder();
    boolean own = false;
    for (String line : text.lines().toList()) {
      Matcher marker = LINE_MARKER.matcher(line);
      if (marker.matches()) {
        own = marker.group(1).endsWith(file);
      } else if (own && line.startsWith("#")) {
        header.macro(line);
      } else if (own) {
        declarations.append(line).append(' ');
      }
    }
    header.split(declarations.toString().replaceAll("\\s+", " "));
    return header;
  }

  private void macro(String line) throws IOException {
    Matcher macro = MACRO.matcher(line);
    if (!macro.matches() || !macro.group(2).isEmpty()) {
      throw new IOException(
          "%s: expected macros without arguments, found: %s".formatted(name, line));
    }
    if (!macro.group(3).isBlank()) {
      constants.add(macro.group(1));
    }
  }

  private void split(String text) throws IOException {
    int depth = 0;
    int start = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      depth += c == '{' ? 1 : c == '}' ? -1 : 0;
      if (c == ';' && depth == 0) {
        declaration(text.substring(start, i).strip());
        start = i + 1;
      }
    }
    if (!text.substring(start).isBlank()) {
      declaration(text.substring(start).strip());
    }
  }

  private void declaration(String text) throws IOException {
    Matcher struct = STRUCT.matcher(text);
    Matcher type = FUNCTION_TYPE.matcher(text);
    Matcher function = FUNCTION.matcher(text);
    if (struct.matches()) {
      structs.put(struct.group(1), fields(struct.group(2)));
    } else if (type.matches()) {
      functions.add(new Function(type.group(1), true, type.group(2)));
    } else if (function.matches()) {
      functions.add(new Function(function.group(1), false, function.group(2)));
    } else {
      throw new IOException(
          "%s: expected a struct, a function or a type of pointers to functions, found: %s"
              .formatted(name, text));
    }
  }

  private List<String> fields(String text) throws IOException {
    if (!Pattern.matches("(%s)+".formatted(FIELD), text)) {
      throw new IOException(
          "%s: expected fields of one name each, found: %s".formatted(name, text));
    }
    return FIELD.matcher(text).results().map((MatchResult field) -> field.group(1)).toList();
  }

  /**
   * Has the compiler compute what this header means.
   *
   * @param declarations C text to compile after the header
   * @return the compiler's answer
   */
  Answer ask(String declarations) throws IOException {
    StringBuilder text = new StringBuilder(PREAMBLE);
    text.append("#include \"xip/%s\"\n%s\nvoid xip_facts(void) {\n".formatted(name, declarations));
    for (String each : constants) {
      say(
          text,
          each + ": size %0, value %1",
          "sizeof(%s)".formatted(each),
          "(long)(%s)".formatted(each));
    }
    structs.forEach(
        (struct, fields) -> {
          String type = "struct " + struct;
          say(
              text,
              struct + ": size %0, alignment %1",
              "sizeof(%s)".formatted(type),
              "_Alignof(%s)".formatted(type));
          for (String field : fields) {
            String offset = "__builtin_offsetof(%s, %s)".formatted(type, field);
            say(
                text,
                struct + "." + field + ": offset %0, size %1",
                offset,
                "sizeof(((%s *)0)->%s)".formatted(type, field));
          }
        });
    text.append("}\n");
    for (Function function : functions) {
      List<String> names = function.names();
      String called = function.isType ? "((%s)0)".formatted(function.name) : function.name;
      String result = "%s(%s)".formatted(called, String.join(", ", names));
      text.append("void of_%s(%s) {\n".formatted(function.name, function.parameters));
      say(text, function.name + ": %0 parameters", String.valueOf(names.size()), "0");
      say(
          text,
          function.name + " returns: class %0, size %1",
          "CLASS(%s)".formatted(result),
          "sizeof(%s)".formatted(result));
      for (int i = 0; i < names.size(); i++) {
        String it = names.get(i);
        say(
            text,
            function.name + " takes " + i + ": class %0, size %1",
            "CLASS(%s)".formatted(it),
            "sizeof(%s)".formatted(it));
      }
      text.append("}\n");
    }
    return compiled(text.toString());
  }

  private static void say(StringBuilder text, String what, String a, String b) {
    text.append("  SAY(\"%s\", %s, %s);\n".formatted(what, a, b));
  }

  private Answer compiled(String text) throws IOException {
    Path source = Files.createTempFile("xip-facts", ".c");
    try {
      Files.writeString(source, text);
      String[] compiler = {"env", "LC_ALL=C", "gcc", "-std=gnu11", "-w", "-S", "-o", "-", "-I"};
      List<String> command = new ArrayList<>(List.of(compiler));
      command.addAll(List.of(include.toString(), source.toString()));
      Processes.Output output = Processes.runAny(command.toArray(String[]::new));
      Map<String, String> facts = new LinkedHashMap<>();
      SAID.matcher(output.out())
          .results()
          .forEach(said -> facts.put(said.group(1), said.group(2).replace("$", "")));
      List<String> errors = output.err().lines().filter(line -> line.contains("error:")).toList();
      if (output.exit() != 0 && errors.isEmpty()) {
        throw new IOException(output.err());
      }
      return new Answer(facts, errors);
    } finally {
      Files.delete(source);
    }
  }
}
