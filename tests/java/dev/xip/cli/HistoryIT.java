package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.xip.history.Account;
import dev.xip.history.History;
import dev.xip.history.Step;
import dev.xip.vm.Era;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code xip history}: the whole, one step, the list, JSON and the page. */
class HistoryIT {
  @TempDir Path folder;

  private static List<String> ids() {
    return History.STEPS.stream().map(Step::account).map(Account::id).toList();
  }

  @Test
  void theWholeStoryIsAsToldAndFitsTheScreen() throws Exception {
    String story = Xip.run("history", "--work", folder).isDone().text();
    for (Step step : History.STEPS) {
      assertThat(story).contains(step.account().title());
    }
    assertThat(story).contains("The same today: ").endsWith("every fact is as told.\n");
    assertThat(story.lines()).allSatisfy(line -> assertThat(line.length()).isLessThan(101));
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void oneStepIsRunAlone() throws Exception {
    String story = Xip.run("history", "21-dec", "--work", folder).isDone().text();
    assertThat(story).contains("pfn_valid says yes to pfn", "1 step in").doesNotContain("7-jan");
  }

  @Test
  void theListNamesEachStepAndRunsNothing() throws Exception {
    List<String> lines = Xip.run("history", "--list").isDone().text().lines().toList();
    assertThat(lines.stream().map(line -> line.split(" ")[0])).containsExactlyElementsOf(ids());
  }

  @Test
  void jsonIsOneObjectWithEveryFindingOfAStep() throws Exception {
    JsonNode story =
        Xip.run("history", "21-dec", "10-jan", "--json", "--work", folder).isDone().json();
    assertThat(story.get("processor").asText()).contains("processors");
    assertThat(story.get("broken")).isEmpty();
    JsonNode step = story.get("steps").get(0);
    assertThat(step.get("id").asText()).isEqualTo("21-dec");
    assertThat(step.get("mails").get(0).get("id").asText()).contains("@");
    assertThat(step.get("findings"))
        .anySatisfy(
            finding -> {
              assertThat(finding.get("kind").asText()).isEqualTo("broken");
              assertThat(finding.get("text").asText()).contains("pfn_valid says yes to pfn");
            })
        .anySatisfy(
            finding -> {
              assertThat(finding.get("kind").asText()).isEqualTo("fact");
              assertThat(finding.get("asTold").asBoolean()).isTrue();
            });
  }

  @Test
  void thePageReplacesAFileAndKeepsItsMode() throws Exception {
    Path page = Files.writeString(folder.resolve("story.html"), "old");
    Files.setAttribute(page, "unix:mode", 0640);
    assertThat(Xip.run("history", "21-dec", "--html", page, "--work", folder).isDone().out())
        .isEmpty();
    assertThat(Files.readString(page)).startsWith("<!DOCTYPE html>").endsWith("</html>\n");
    assertThat((int) Files.getAttribute(page, "unix:mode") & 07777).isEqualTo(0640);
    assertThat(folder).isDirectoryNotContaining(path -> !path.equals(page));
  }

  @ParameterizedTest
  @ValueSource(strings = {"missing/story.html", ".", "story.html/x"})
  void aPageThatCannotBeWrittenIsOneLineBeforeAnythingIsRun(String name) throws Exception {
    Files.writeString(folder.resolve("story.html"), "old");
    long start = System.nanoTime();
    String line = Xip.run("history", "--html", folder + "/" + name).failsWithOneLine();
    assertThat(line).contains(folder.toString());
    assertThat((System.nanoTime() - start) / 1e9).isLessThan(8);
    assertThat(folder.resolve("story.html")).hasContent("old");
  }

  @Test
  void aStepThatDoesNotExistIsOneLineWithThoseThatDo() throws Exception {
    Xip.Result result = Xip.run("history", "14-jan");
    assertThat(result.exit()).isEqualTo(2);
    assertThat(result.out()).isEmpty();
    assertThat(result.err())
        .hasLineCount(1)
        .contains("step 14-jan: expected one of " + String.join(", ", ids()));
  }

  @Test
  void theErasAreATableWithARowForEachRule() throws Exception {
    String table = Xip.run("history", "--eras").isDone().text();
    for (Era.Row row : Era.rows()) {
      assertThat(table).contains("\n" + row.rule() + " ").contains(row.sentence());
    }
    for (Era era : Era.values()) {
      assertThat(table.lines().findFirst().orElseThrow()).contains(" " + era);
    }
    JsonNode rules = Xip.run("history", "--era", "2.6.26", "--json").isDone().json().get("rules");
    assertThat(rules).hasSameSizeAs(Era.rows());
    for (JsonNode rule : rules) {
      assertThat(rule.get("eras").fieldNames()).toIterable().containsExactly("2.6.26");
    }
  }

  @Test
  void aStepThatIsNamedTwiceIsRunOnce() throws Exception {
    String story = Xip.run("history", "21-dec", "21-dec", "--work", folder).isDone().text();
    assertThat(story).contains("1 step in");
  }

  @ParameterizedTest
  @ValueSource(strings = {"--eras", "--era=3.19"})
  void stepsHaveNoEras(String option) throws Exception {
    Xip.Result result = Xip.run("history", "15-jan", option);
    assertThat(result.exit()).isEqualTo(2);
    assertThat(result.err()).hasLineCount(1).contains("expected no STEP, found 15-jan");
  }

  @Test
  void aPageDoesNotReplaceADevice() throws Exception {
    String line = Xip.run("history", "21-dec", "--html", "/dev/full").failsWithOneLine();
    assertThat(line).contains("/dev/full");
  }

  @Test
  void aListIsNotWrittenAsAPage() throws Exception {
    Path page = folder.resolve("story.html");
    assertThat(Xip.run("history", "--list", "--html", page).exit()).isEqualTo(2);
    assertThat(page).doesNotExist();
  }

  @Test
  void anEraThatDoesNotExistIsOneLineWithThoseThatDo() throws Exception {
    Xip.Result result = Xip.run("history", "--era", "2.6.27");
    assertThat(result.exit()).isEqualTo(2);
    assertThat(result.err())
        .hasLineCount(1)
        .contains("era 2.6.27: expected one of 2.6.24, 2.6.26, 2.6.32, 3.19");
  }

  @Test
  void aFolderForWorkThatDoesNotExistIsOneLine() throws IOException, InterruptedException {
    assertThat(Xip.run("history", "21-dec", "--work", folder.resolve("no")).failsWithOneLine())
        .contains("/no: No such file or directory");
  }
}
