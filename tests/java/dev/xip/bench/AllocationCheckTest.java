package dev.xip.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.xip.bench.AllocationCheck.Row;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The allocation of hot paths is read from JMH's results. */
class AllocationCheckTest {
  /** One benchmark of two JVMs, 100 ns an operation, as JMH writes it. */
  private static List<Row> rows(String benchmark, String iterations) throws IOException {
    return AllocationCheck.rows(
        new ObjectMapper()
            .readTree(
                """
                [{"benchmark": "dev.xip.bench.%s", "params": {"mapped": "GIB_1"},
                  "primaryMetric": {"score": 100.0, "scoreUnit": "ns/op"},
                  "secondaryMetrics": {"gc.alloc.rate.norm": {"score": 300.0, "rawData": %s}}}]
                """
                    .formatted(benchmark, iterations)));
  }

  @Test
  void allocationOfJmhAtItsEndIsIgnored() throws IOException {
    assertThat(rows("ReadBenchmark.addresses", "[[0.01, 800], [0.02, 700]]"))
        .containsExactly(new Row("ReadBenchmark.addresses GIB_1", 0.01, 100))
        .noneMatch(Row::allocates);
  }

  @Test
  void anObjectForEachOperationIsAllocation() throws IOException {
    assertThat(rows("ReadBenchmark.addresses", "[[16, 800], [16.1, 16]]"))
        .singleElement()
        .matches(Row::allocates)
        .hasToString(
            "%-76s %9.3f %9.3f  ALLOCATES".formatted("ReadBenchmark.addresses GIB_1", 16.0, 0.506));
  }

  @Test
  void aPeerMayAllocate() throws IOException {
    assertThat(rows("ReadBenchmark.fileChannel", "[[16]]")).isEmpty();
  }

  @Test
  void aRunThatWasNotProfiledIsRefused() {
    assertThatThrownBy(() -> rows("ReadBenchmark.addresses", "[]"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("ReadBenchmark.addresses")
        .hasMessageContaining("-prof gc");
  }

  @Test
  void resultsOfABenchmarkThatIsGoneAreRefused() {
    assertThatThrownBy(() -> rows("ReadBenchmark.absent", "[[0]]"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("ReadBenchmark.absent");
  }
}
