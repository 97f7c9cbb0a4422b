package dev.xip.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Reads the results of JMH's gc profiler, prints what each hot path allocates, and fails if one
 * does. Hot paths are the benchmarks marked {@link DoesNotAllocate}.
 */
public final class AllocationCheck {
  /**
   * Tolerated bytes for each operation and for each microsecond of it, which the path does not
   * allocate itself. The first are the share of each operation in what its invocation's setup
   * allocates: one smallest object, of 16 bytes, in 32 operations. The second are twice what JMH
   * itself allocates: 7 KB in an iteration of 200 ms.
   */
  private static final double PER_OPERATION = 0.5;

  private static final double PER_MICROSECOND = 0.06;

  private static final String METRIC = "gc.alloc.rate.norm";

  private AllocationCheck() {}

  /**
   * The allocation of one hot path.
   *
   * @param path the benchmark and its parameters
   * @param bytes the bytes of each operation, in the iteration with the fewest: the last iteration
   *     includes what JMH allocates at the end of a run
   * @param nanos the time of an operation
   */
  record Row(String path, double bytes, double nanos) {
    double allowed() {
      return PER_OPERATION + PER_MICROSECOND * nanos / 1_000;
    }

    boolean allocates() {
      return bytes >= allowed();
    }

    @Override
    public String toString() {
      String verdict = allocates() ? "  ALLOCATES" : "";
      return String.format(Locale.ROOT, "%-76s %9.3f %9.3f%s", path, bytes, allowed(), verdict);
    }
  }

  /**
   * Prints the table.
   *
   * @param args the JSON file of JMH
   * @throws IOException if it cannot be read
   */
  public static void main(String[] args) throws IOException {
    List<Row> rows = rows(new ObjectMapper().readTree(Path.of(args[0]).toFile()));
    System.out.printf("%n%-76s %9s %9s%n", "HOT PATH", "B/op", "FROM JMH");
    rows.forEach(System.out::println);
    long allocating = rows.stream().filter(Row::allocates).count();
    if (allocating > 0) {
      throw new AssertionError(
          "%d of %d hot paths allocate: expected no more bytes than JMH itself allocates"
              .formatted(allocating, rows.size()));
    }
  }

  /** {@return the rows of hot paths, all of which must have been profiled} */
  static List<Row> rows(JsonNode results) throws IOException {
    List<Row> rows = new ArrayList<>();
    for (JsonNode result : results) {
      String benchmark = result.path("benchmark").asText();
      if (!isHot(benchmark)) {
        continue;
      }
      double least = Double.POSITIVE_INFINITY;
      for (JsonNode fork : result.path("secondaryMetrics").path(METRIC).path("rawData")) {
        for (JsonNode iteration : fork) {
          least = Math.min(least, iteration.asDouble());
        }
      }
      if (least == Double.POSITIVE_INFINITY) {
        throw new IOException(benchmark + ": expected " + METRIC + ", which -prof gc gives");
      }
      double nanos = result.path("primaryMetric").path("score").asDouble();
      rows.add(new Row(path(benchmark, result.path("params")), least, nanos));
    }
    return rows;
  }

  private static String path(String benchmark, JsonNode params) {
    StringBuilder path = new StringBuilder();
    path.append(
        benchmark,
        benchmark.lastIndexOf('.', benchmark.lastIndexOf('.') - 1) + 1,
        benchmark.length());
    params.properties().forEach(each -> path.append(' ').append(each.getValue().asText()));
    return path.toString();
  }

  private static boolean isHot(String benchmark) throws IOException {
    int dot = benchmark.lastIndexOf('.');
    try {
      for (Method method : Class.forName(benchmark.substring(0, dot)).getMethods()) {
        if (method.getName().equals(benchmark.substring(dot + 1))) {
          return method.isAnnotationPresent(DoesNotAllocate.class);
        }
      }
    } catch (ClassNotFoundException gone) {
      throw new IOException(benchmark + ": there is no such benchmark", gone);
    }
    throw new IOException(benchmark + ": there is no such benchmark");
  }
}
