package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.xip.testing.Images;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code xip demo} and {@code xip bench}, as text and as JSON. */
class DemoIT {
  @TempDir Path folder;
  private Path tree;

  @BeforeEach
  void makeTree() throws IOException {
    tree = Trees.small(folder.resolve("tree"));
  }

  private static JsonNode json(Xip.Result result) throws IOException {
    return new ObjectMapper().readTree(result.isDone().out());
  }

  private static void assertLawsHold(JsonNode report) {
    assertThat(report.get("files").asLong()).isPositive();
    assertThat(report.get("bytesRead").asLong()).isPositive();
    assertThat(report.get("imageBytes").asLong()).isPositive();
    assertThat(report.get("sha256Mismatches").asLong(-1)).isZero();
    assertThat(report.get("nativeDisagreements").asLong(-1)).isZero();
    assertThat(report.get("specialEntries").asLong()).isPositive();
    assertThat(report.get("normalEntries").asLong(-1)).isNotNegative();
    assertThat(report.get("framesInUseAfter")).isEqualTo(report.get("framesInUseBefore"));
    assertThat(report.get("memMapBytesAfter")).isEqualTo(report.get("memMapBytesBefore"));
    assertThat(report.get("controlFrames").asLong())
        .isBetween(1L, report.get("pagesRead").asLong());
    assertThat(report.get("pageTableBytes").asLong()).isPositive();
    assertThat(report.get("structPageBytesAvoided").asLong())
        .isEqualTo((report.get("imageBytes").asLong() + 4095) / 4096 * 64);
    assertThat(report.get("seconds").asDouble()).isPositive();
    assertThat(report.get("broken")).isEmpty();
  }

  @Test
  void anImageIsShownAsOneObject() throws Exception {
    assertLawsHold(json(Xip.run("demo", "--image", Images.ext2(tree), "--work", folder, "--json")));
  }

  @Test
  void anImageInAdjacentSegmentsIsShownAsOneObject() throws Exception {
    Path image = Images.ext2(tree);
    String script =
        """
        size=$(stat -c %%s '%s'); half=$((size / 2 / 1048576 * 1048576))
        head -c $half '%1$s' | "$X" segment define A --from - --at 0x100000000
        tail -c +$((half + 1)) '%1$s' | "$X" segment define B --from - --at $((0x100000000 + half))
        """
            .formatted(image);
    Shell.bash(folder, script).isDone();
    Path store = folder.resolve("store");
    assertLawsHold(
        json(
            Xip.run(
                "demo", "--image", "segment:a:b", "--store", store, "--work", folder, "--json")));
  }

  @Test
  void theAnswerIsFiveLinesAndAPictureWithTheRunsOwnNumbers() throws Exception {
    Path picture = folder.resolve("picture.svg");
    JsonNode counts =
        json(Xip.run("demo", "--dir", tree, "--work", folder, "--json", "--svg", picture));
    assertLawsHold(counts);
    String mapped = "%,d pages".formatted(counts.get("specialEntries").asLong());
    String cached = "%,d".formatted(counts.get("controlFrames").asLong());
    List<String> lines =
        Xip.run("demo", "--dir", tree, "--work", folder).isDone().out().lines().toList();
    assertThat(lines.subList(0, 6))
        .satisfiesExactly(
            read -> assertThat(read).startsWith("Read ").contains(tree.toString(), " 0 read wrong"),
            frames -> assertThat(frames).startsWith("Frames ").contains(" 0 taken", cached),
            entries -> assertThat(entries).startsWith("Mapped ").contains(mapped, "special bit"),
            time -> assertThat(time).startsWith("Time ").contains("cold"),
            programs -> assertThat(programs).startsWith("Programs "),
            end -> assertThat(end).isEmpty());
    assertThat(lines.get(6)).startsWith("Every law held");
    assertThat(texts(picture)).contains("0", cached).anyMatch(text -> text.endsWith("s, cold"));
    assertThat(wording(Path.of("src/site/resources/images/in-place.svg")))
        .as("the picture of README.md")
        .isEqualTo(wording(picture));
  }

  /** The texts of a picture but the file's name. */
  private static List<String> texts(Path picture) throws IOException {
    return Pattern.compile("<text (?!.*class=\"name\").*>(.*)</text>")
        .matcher(Files.readString(picture))
        .results()
        .map(found -> found.group(1))
        .toList();
  }

  private static List<String> wording(Path picture) throws IOException {
    return texts(picture).stream()
        .map(
            text ->
                text.replaceAll("0x[0-9a-f]+|[0-9][0-9,.]*[0-9]|[0-9]", "N")
                    .replaceAll("N (bytes|MiB)", "N"))
        .toList();
  }

  @Test
  void theDetailsSayThatEveryLawHeldAndNothingIsLeftBehind() throws Exception {
    assertThat(Xip.run("demo", "--details", "--dir", tree, "--work", folder).isDone().out())
        .startsWith("Read ")
        .contains(
            "SPECIAL",
            "no page frame",
            "Act two",
            "Act three",
            "Every way to ask",
            "Every law held");
    try (var left = Files.list(folder)) {
      assertThat(left).containsExactly(tree);
    }
  }

  @Test
  void aFailureIsOneLine() throws Exception {
    Path missing = folder.resolve("missing");
    for (Object[] arguments :
        new Object[][] {
          {"demo", "--dir", missing},
          {"demo", "--image", missing},
          {"demo", "--image", tree},
          {"demo", "--dir", tree, "--work", missing},
          {"demo", "--dir", tree, "--svg", missing.resolve("picture.svg")},
          {"demo", "--dir", Files.createDirectories(folder.resolve("none")), "--svg", missing}
        }) {
      Xip.Result result = Xip.run(arguments);
      assertThat(result.exit()).isEqualTo(1);
      assertThat(result.err()).startsWith("xip: ").hasLineCount(1);
    }
    assertThat(Xip.run("demo", "--dir", tree, "--image", tree).exit()).isEqualTo(2);
    assertThat(Xip.run("demo", "--details", "--json").exit()).isEqualTo(2);
  }

  @Test
  void comparisonsAreAnArrayOfRows() throws Exception {
    JsonNode rows =
        json(
            Xip.run(
                "bench",
                "normal-page",
                "fork-exit",
                "--segments",
                "2",
                "--threads",
                "1",
                "--json"));
    assertThat(rows.isArray()).isTrue();
    assertThat(rows)
        .anySatisfy(
            row -> {
              assertThat(row.get("name").asText()).isEqualTo("normal-page");
              assertThat(row.get("params").get("strategy").asText()).isEqualTo("special-bit");
              assertThat(row.get("params").get("segments").asInt()).isEqualTo(2);
              assertThat(row.get("params").get("threads").asInt()).isEqualTo(1);
              assertThat(row.get("unit").asText()).isEqualTo("ns/entry");
              assertThat(row.get("median").asDouble()).isPositive();
            });
    assertThat(rows)
        .anySatisfy(
            row -> {
              assertThat(row.get("name").asText()).isEqualTo("fork-exit");
              assertThat(row.get("median").isNull()).isTrue();
              assertThat(row.get("note").asText()).contains("sleeping function");
            });
  }

  @Test
  void wrongNumbersOfABenchAreWrongUsage() throws Exception {
    assertThat(Xip.run("bench", "growth", "--files", "0").exit()).isEqualTo(2);
    assertThat(Xip.run("bench", "nothing").exit()).isEqualTo(2);
    assertThat(Xip.run("bench", "fork-exit", "--segments", "0").exit()).isEqualTo(2);
    assertThat(Xip.run("bench", "fork-exit", "--threads", "-1").exit()).isEqualTo(2);
  }

  @Test
  void anUnknownStrategyIsOneLineWithTheNamesThatExist() throws Exception {
    Xip.Result result = Xip.run("bench", "fork-exit", "--strategies", "special-bit,dcss-list");
    assertThat(result.exit()).isEqualTo(2);
    assertThat(result.err().lines().findFirst().orElseThrow())
        .contains("dcss-list", "lra, mixedmap-refcount-pfn", "mem-segs-posted", "special-bit");
  }

  @Test
  void aComparisonOfNamedStrategiesMarksThoseThatFail() throws Exception {
    JsonNode rows =
        json(
            Xip.run(
                "bench",
                "fork-exit",
                "--strategies",
                "lra,mem-segs-corrected,special-bit",
                "--segments",
                "2",
                "--threads",
                "1",
                "--json"));
    assertThat(rows).hasSize(3);
    assertThat(rows.get(0).get("note").asText()).contains("pfn_valid says yes");
    assertThat(rows.get(1).get("note").asText()).contains("vmem_mutex");
    assertThat(rows.get(2).get("median").asDouble()).isPositive();
  }

  @Test
  void figuresAreRowsWithGoalsAndAChart(@TempDir Path folder) throws Exception {
    Path chart = folder.resolve("chart.svg");
    JsonNode rows = json(Xip.run("bench", "forks", "--json", "--chart", chart.toString()));
    assertThat(rows)
        .isNotEmpty()
        .allSatisfy(
            row ->
                assertThat(row.fieldNames())
                    .toIterable()
                    .contains("name", "params", "unit", "median", "raw", "ratio", "goal", "met"));
    assertThat(rows)
        .anySatisfy(
            row -> {
              assertThat(row.get("against").asText()).isEqualTo("the list under a spin lock");
              assertThat(row.get("ratio").asDouble())
                  .isEqualTo(row.get("raw").asDouble() / row.get("median").asDouble());
            });
    assertThat(Files.readString(chart)).contains("<svg");
  }

  @Test
  void aChartOfAnUnknownKindIsRefusedBeforeAnythingIsMeasured(@TempDir Path folder)
      throws Exception {
    Xip.Result result = Xip.run("bench", "--chart", folder.resolve("chart.bmp").toString());
    assertThat(result.exit()).isEqualTo(1);
    assertThat(result.err()).contains("chart.bmp").contains(".png or .svg");
  }
}
