package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.xip.measure.OrdinaryWork;
import dev.xip.testing.Judge;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code xip bench five-percent} and {@code guest-exec}. Times are not asserted. */
class BenchIT {
  @TempDir Path folder;

  @Test
  void theShareOfTheQuestionHasARowForEachKindOfWork() throws Exception {
    String json =
        Xip.run(
                "bench",
                "five-percent",
                "--strategies",
                "sparse,mem-segs-mutex",
                "--segments",
                "2",
                "--work",
                folder,
                "--json")
            .isDone()
            .text();
    JsonNode rows = new ObjectMapper().readTree(json);
    List<String> works = new ArrayList<>();
    for (JsonNode row : rows) {
      assertThat(row.get("name").asText()).isEqualTo("five-percent");
      works.add(row.get("params").get("work").asText());
      assertThat(row.get("params").get("strategy").asText()).isEqualTo("sparse");
      assertThat(row.get("params").get("segments").asInt()).isEqualTo(2);
      for (String number : List.of("median", "spread", "questions", "share")) {
        assertThat(row.get(number).asDouble()).as(number).isGreaterThanOrEqualTo(0).isFinite();
      }
      assertThat(row.get("againstBit").asDouble()).isFinite();
    }
    assertThat(works)
        .containsExactlyElementsOf(
            Stream.of(OrdinaryWork.values()).map(OrdinaryWork::toString).toList());
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void aStrategyThatMayNotRunIsRefusedWithThoseThatDo() throws Exception {
    Xip.Result result = Xip.run("bench", "five-percent", "--strategies", "mem-segs-mutex");
    assertThat(result.exit()).isEqualTo(2);
    assertThat(result.err()).contains("mem-segs-mutex", "special-bit").hasLineCount(1);
  }

  /** Objection a of January 2008, met by a real shell. */
  @Test
  void theFirstProgramOnAMachineWithThePostedPatchIsTheKernelsBugReport() throws Exception {
    Judge.kvm();
    String json =
        Xip.run(
                "bench",
                "guest-exec",
                "--strategies",
                "special-bit,mem-segs-posted",
                "--segments",
                "2",
                "--work",
                folder,
                "--json")
            .isDone()
            .text();
    JsonNode rows = new ObjectMapper().readTree(json);
    assertThat(rows).hasSize(4);
    for (JsonNode row : rows) {
      if (row.get("params").get("strategy").asText().equals("special-bit")) {
        assertThat(row.get("median").asDouble()).isGreaterThanOrEqualTo(0);
        assertThat(row.has("note")).isFalse();
      } else {
        assertThat(row.get("median").isNull()).isTrue();
        assertThat(row.get("note").asText())
            .contains("BUG: sleeping function called from invalid context", "vmem_mutex");
      }
    }
    assertThat(folder).isEmptyDirectory();
  }
}
