package dev.xip.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.ProgressListener;
import dev.xip.measure.PatchedExec;
import dev.xip.measure.XmlText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.w3c.dom.Document;

/** The story, run once: every fact is as told, and what it names exists. */
class HistoryTest {
  @TempDir static Path folder;
  private static Story story;

  @BeforeAll
  static void runAll() throws IOException {
    story = History.run(History.STEPS, folder, ProgressListener.NONE);
  }

  static Stream<Account> accounts() {
    return History.STEPS.stream().map(Step::account);
  }

  static Stream<Story.Chapter> chapters() {
    return story.chapters().stream();
  }

  private static <T extends Finding> List<T> found(String step, Class<T> kind) {
    return chapters()
        .filter(chapter -> chapter.account().id().equals(step))
        .flatMap(chapter -> chapter.findings().stream())
        .filter(kind::isInstance)
        .map(kind::cast)
        .toList();
  }

  @Test
  void everyFactIsAsTold() {
    assertThat(story.broken()).isEmpty();
    assertThat(story.chapters()).hasSameSizeAs(History.STEPS);
  }

  @Test
  void theStepsAreInTheOrderOfTheStory() {
    assertThat(accounts().map(Account::id))
        .containsSubsequence(
            "21-dec", "7-jan", "8-jan", "9-jan", "10-jan", "15-jan", "16-jan", "17-jan", "28-mar",
            "2.6.26", "dax", "devmap", "6.12", "guards")
        .doesNotHaveDuplicates();
  }

  @ParameterizedTest
  @MethodSource("accounts")
  void theTestsBehindAStepExist(Account account) throws ClassNotFoundException {
    assertThat(account.tests()).isNotEmpty();
    for (String test : account.tests()) {
      String[] parts = test.split("#");
      Class<?> type = Class.forName(parts[0]);
      if (parts.length > 1) {
        assertThat(Arrays.stream(type.getDeclaredMethods()).map(method -> method.getName()))
            .contains(parts[1]);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("accounts")
  void aStepNamesItsSourcesAndClasses(Account account) {
    assertThat(account.mails()).isNotEmpty().allMatch(mail -> !mail.id().isBlank());
    assertThat(account.classes()).isNotEmpty();
    assertThat(account.told()).isNotBlank();
    assertThat(account.today()).isNotBlank();
  }

  @ParameterizedTest
  @MethodSource("chapters")
  void everyFigureWasMeasured(Story.Chapter chapter) {
    for (Finding finding : chapter.findings()) {
      if (finding instanceof Finding.Figures figures) {
        for (Finding.Contender each : figures.contenders()) {
          assertThat(each.values())
              .as(each.name())
              .hasSameSizeAs(figures.columns())
              .allMatch(value -> value > 0);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("accounts")
  void eachStepDrawsWhatAnEntryLooksLike(Account account) {
    assertThat(found(account.id(), Finding.Sketch.class))
        .isNotEmpty()
        .allSatisfy(sketch -> assertThat(sketch.entries()).isNotEmpty());
  }

  @Test
  void theChainOfObjectionAIsThatOfTheMail() {
    Finding.Broken bug =
        found("15-jan", Finding.Broken.class).stream()
            .filter(each -> !each.calls().isEmpty())
            .findFirst()
            .orElseThrow();
    assertThat(bug.text()).contains("sleeping function called from invalid context", "vmem_mutex");
    assertThat(bug.calls().stream().map(PatchedExec.Call::kernels))
        .containsExactly(
            "do_execve",
            "copy_strings",
            "get_arg_page",
            "get_user_pages",
            "follow_page",
            "vm_normal_page",
            "pfn_valid",
            "pfn_in_shared_memory",
            "mutex_lock");
  }

  @Test
  void thePatchIsWrongAsPostedAndWithItsTestPutRight() {
    Finding.Table table = found("15-jan", Finding.Table.class).getFirst();
    List<List<Boolean>> wrong = new ArrayList<>();
    for (Finding.Row row : table.rows()) {
      wrong.add(row.cells().stream().map(Finding.Cell::wrong).toList());
    }
    assertThat(wrong)
        .containsExactly(List.of(false, true), List.of(true, false), List.of(false, false));
  }

  @Test
  void eachNameOfAWayHasAMeaningOfItsOwn() {
    for (String step : List.of("15-jan", "28-mar")) {
      assertThat(found(step, Finding.Table.class))
          .filteredOn(table -> table.title().equals("The ways by name"))
          .isNotEmpty()
          .allSatisfy(
              table ->
                  assertThat(table.rows().stream().map(row -> row.cells().getFirst().text()))
                      .doesNotHaveDuplicates());
    }
  }

  @Test
  void aCharacterThatXmlForbidsIsReplaced() {
    assertThat(XmlText.of("\u0000\u001b\u0085\udc80\ufffe<\ud83d\ude00"))
        .isEqualTo("\ufffd".repeat(5) + "&lt;\ud83d\ude00");
  }

  @Test
  void aPercentSignStaysWithItsNumber() {
    assertThat(XmlText.of("by 12 %")).isEqualTo("by 12\u00a0%");
  }

  @Test
  void anUnknownStepIsNamedWithThoseThatExist() {
    assertThatThrownBy(() -> History.named("14-jan"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "step 14-jan: expected one of "
                + String.join(", ", accounts().map(Account::id).toList()));
  }

  @Test
  void thePageIsWellFormedAndNeedsNoNetwork() throws Exception {
    String html = HtmlPage.of(story);
    Document page = Pages.parse(html);
    assertThat(Pages.texts(page, "h2"))
        .containsExactlyElementsOf(accounts().map(Account::title).toList());
    assertThat(Pages.texts(page, "h1")).containsExactly(Story.TITLE);
    assertThat(html).doesNotContain("src=", "url(", "@import", "<script", "<link");
    assertThat(Pages.attributes(page, "svg", "aria-label"))
        .isNotEmpty()
        .allMatch(text -> !text.isBlank());
    assertThat(Pages.attributes(page, "a", "href")).allMatch(link -> link.startsWith("#"));
  }

  /** The console of a page with an error is not empty, or the test would prove nothing. */
  @Test
  void aBrowserFindsNothingWrongWithThePage() throws IOException {
    String page = HtmlPage.of(story);
    Browser.Seen seen = Browser.open(Files.writeString(folder.resolve("story.html"), page));
    assertThat(seen.console()).isEmpty();
    for (Account account : accounts().toList()) {
      assertThat(seen.dom()).contains("id=\"step-%s\"".formatted(account.id()));
    }
    String wrong = page.replace("</body>", "<img src=\"http://localhost/x.png\"/></body>");
    assertThat(Browser.open(Files.writeString(folder.resolve("wrong.html"), wrong)).console())
        .isNotEmpty();
  }

  @Test
  void aTextOfTheMachineCannotChangeThePage() throws Exception {
    String hostile = "</pre><script>alert('x')</script>&\"\u0001";
    Account account =
        new Account(
            "x",
            hostile,
            hostile,
            List.of(new Account.Mail(hostile, hostile)),
            hostile,
            hostile,
            List.of(),
            List.of(hostile));
    List<Finding> findings =
        List.of(
            new Finding.Part(hostile, hostile),
            new Finding.Fact(hostile, hostile, false),
            new Finding.Seen(hostile, hostile),
            new Finding.Broken(hostile, hostile, List.of(new PatchedExec.Call(hostile, hostile))),
            new Finding.Table(
                hostile,
                List.of(hostile, hostile),
                List.of(Finding.Row.of(hostile, Finding.Cell.plain(hostile)))),
            new Finding.Figures(
                hostile,
                hostile,
                List.of(hostile, hostile),
                List.of(new Finding.Contender(hostile, List.of(1.0, 2.0)))),
            new Finding.Sketch(
                List.of(new Finding.Entry(hostile, hostile, 1, hostile, 1)),
                List.of(new Finding.Chunk(hostile, true, hostile)),
                hostile));
    Story other = new Story(hostile, List.of(new Story.Chapter(account, findings, 1)), 1);
    Document page = Pages.parse(HtmlPage.of(other));
    assertThat(page.getElementsByTagName("script").getLength()).isZero();
    assertThat(page.getElementsByTagName("pre").item(0).getTextContent())
        .isEqualTo("</pre><script>alert('x')</script>&\"\ufffd");
    assertThat(other.broken()).hasSize(1);
  }
}
