package dev.xip.bindings;

import java.io.IOException;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A header of include/xip and the class that jextract made of it. What Java uses are the values,
 * layouts and descriptors; which C types they came from stands in the comments of the class.
 *
 * @param name the header's file name
 * @param type the class
 */
record BoundHeader(String name, Class<?> type) {
  /** All headers. */
  static final List<BoundHeader> ALL =
      List.of(
          new BoundHeader("guard.h", Guards.class),
          new BoundHeader("guest.h", Guest.class),
          new BoundHeader("pte.h", PteBits.class),
          new BoundHeader("segment.h", Segments.class),
          new BoundHeader("xip.h", Xip.class));

  static final Path INCLUDE = Path.of("include");
  static final Path SOURCES = Path.of("src/generated/java/dev/xip/bindings");

  private static final Pattern SNIPPET =
      Pattern.compile("\\{@snippet lang=c :\\s(.*?)\n[ *]*}\n *\\*/", Pattern.DOTALL);

  @Override
  public String toString() {
    return name;
  }

  /**
   * Compares this class with its header.
   *
   * @param include the folder that holds the folder xip
   * @return what differs, each with its name; empty if nothing does
   * @throws IOException if the header declares what no binding can express
   */
  List<String> drift(Path include) throws IOException {
    CHeader header = CHeader.read(include, name);
    CHeader.Answer answer = header.ask(declarations(header));
    List<String> drift = new ArrayList<>(answer.errors());
    if (!drift.isEmpty()) {
      answer = header.ask("");
    }
    if (!answer.errors().isEmpty()) {
      return answer.errors();
    }
    Map<String, String> expected = answer.facts();
    Map<String, String> found = facts(header);
    Set<String> all = new TreeSet<>(expected.keySet());
    all.addAll(found.keySet());
    for (String each : all) {
      String there = expected.getOrDefault(each, "nothing");
      String here = found.getOrDefault(each, "nothing");
      if (!there.equals(here)) {
        drift.add(
            "%s: %s has %s, class %s has %s"
                .formatted(each, name, there, type.getSimpleName(), here));
      }
    }
    return drift;
  }

  private Map<String, String> facts(CHeader header) {
    Map<String, String> facts = new LinkedHashMap<>();
    for (Method method : type.getMethods()) {
      String each = method.getName();
      if (!Modifier.isStatic(method.getModifiers()) || method.getDeclaringClass() != type) {
        continue;
      }
      if (each.endsWith("$descriptor")) {
        describe(facts, each.replace("$descriptor", ""), (FunctionDescriptor) call(type, each));
      } else if (method.getParameterCount() == 0 && each.equals(each.toUpperCase())) {
        Object value = call(type, each);
        facts.put(each, "size %d, value %d".formatted(value instanceof Integer ? 4 : 8, value));
      }
    }
    header.structs.keySet().forEach(struct -> find(struct).ifPresent(it -> layOut(facts, it)));
    for (CHeader.Function function : header.functions) {
      if (function.isType()) {
        find(function.name())
            .ifPresent(
                it ->
                    describe(facts, function.name(), (FunctionDescriptor) call(it, "descriptor")));
      }
    }
    return facts;
  }

  private static Optional<Class<?>> find(String name) {
    try {
      return Optional.of(Class.forName(BoundHeader.class.getPackageName() + "." + name));
    } catch (ClassNotFoundException none) {
      return Optional.empty();
    }
  }

  private static Object call(Class<?> type, String method) {
    try {
      return type.getMethod(method).invoke(null);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(type + "." + method, e);
    }
  }

  private static void layOut(Map<String, String> facts, Class<?> struct) {
    StructLayout layout = (StructLayout) call(struct, "layout");
    String name = struct.getSimpleName();
    facts.put(name, "size %d, alignment %d".formatted(layout.byteSize(), layout.byteAlignment()));
    for (MemoryLayout member : layout.memberLayouts()) {
      member
          .name()
          .ifPresent(
              field ->
                  facts.put(
                      name + "." + field,
                      "offset %d, size %d"
                          .formatted(
                              layout.byteOffset(PathElement.groupElement(field)),
                              member.byteSize())));
    }
  }

  private static void describe(Map<String, String> facts, String name, FunctionDescriptor it) {
    List<MemoryLayout> parameters = it.argumentLayouts();
    facts.put(name, parameters.size() + " parameters");
    facts.put(
        name + " returns", it.returnLayout().map(BoundHeader::kind).orElse("class -1, size 1"));
    for (int i = 0; i < parameters.size(); i++) {
      facts.put(name + " takes " + i, kind(parameters.get(i)));
    }
  }

  /**
   * The class of GCC's __builtin_classify_type (pointer, floating point, integer), and the size.
   */
  private static String kind(MemoryLayout layout) {
    int number =
        switch (layout) {
          case AddressLayout pointer -> 5;
          case ValueLayout.OfFloat floating -> 8;
          case ValueLayout.OfDouble floating -> 8;
          default -> 1;
        };
    return "class %d, size %d".formatted(number, layout.byteSize());
  }

  /**
   * Declares everything once more, as jextract saw it: the compiler refuses a function of another
   * type, and an assertion names a field of another type.
   */
  private String declarations(CHeader header) throws IOException {
    StringBuilder text = new StringBuilder();
    snippets(type)
        .filter(each -> each.endsWith(")"))
        .distinct()
        .forEach(each -> text.append(each).append(";\n"));
    for (String struct : header.structs.keySet()) {
      Class<?> bound = find(struct).orElse(null);
      if (bound == null) {
        continue;
      }
      String copy = "bound_" + struct;
      String declared = snippets(bound).findFirst().orElseThrow();
      text.append(declared.replaceFirst(struct, copy)).append(";\n");
      Set<String> fields =
          ((StructLayout) call(bound, "layout"))
              .memberLayouts().stream()
                  .flatMap(member -> member.name().stream())
                  .collect(Collectors.toSet());
      for (String field : header.structs.get(struct)) {
        if (fields.contains(field)) {
          text.append(
              ("_Static_assert(__builtin_types_compatible_p(__typeof__(((struct %1$s *)0)->%3$s),"
                      + " __typeof__(((struct %2$s *)0)->%3$s)), \"type of %1$s.%3$s\");\n")
                  .formatted(struct, copy, field));
        }
      }
    }
    for (CHeader.Function function : header.functions) {
      if (function.isType() && find(function.name()).isPresent()) {
        String declared = snippets(find(function.name()).get()).findFirst().orElseThrow();
        text.append(declared).append(";\n");
      }
    }
    return text.toString();
  }

  private static Stream<String> snippets(Class<?> type) throws IOException {
    Matcher found =
        SNIPPET.matcher(Files.readString(SOURCES.resolve(type.getSimpleName() + ".java")));
    return found.results().map(each -> each.group(1).replaceAll("(?m)^[ *]*", "").strip());
  }
}
