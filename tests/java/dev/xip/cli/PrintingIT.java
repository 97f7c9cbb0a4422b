package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Output does not control a terminal, and output that is lost is an error. */
class PrintingIT {
  /** CSI as UTF-8 and as a byte, an escape, a line feed and a right-to-left override. */
  private static final String HOSTILE = "h\\xc2\\x9b31m\\x9b32m\\x1b[33m\\n\\xe2\\x80\\xae";

  private static final String SHOWN = "h\\u009b31m\\x9b32m\\x1b[33m\\x0a\\u202e";

  @TempDir Path folder;

  @BeforeEach
  void pack() throws Exception {
    assertThat(bash("mkdir d; echo text >d/$'%s'; \"$X\" pack d i".formatted(HOSTILE)).exit())
        .isZero();
  }

  private Xip.Result bash(String script) throws Exception {
    return Shell.bash(folder, script);
  }

  private String terminal(String command) throws Exception {
    return Shell.terminal(folder, command);
  }

  private static void assertHarmless(String seen) {
    assertThat(seen.replace("\n", "").replace("\tat ", "at "))
        .doesNotContainPattern("[\\p{Cntrl}\u0080-\u009f\u202e]");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"ls i", "ls -l i", "ls -R i", "check --all i", "stat i /$'%s'", "maps i script"})
  void aTerminalShowsNamesAsText(String command) throws Exception {
    bash("printf 'space a\\nmap a x /%s r--s\\n' >script".formatted("h\\xc2\\x9b31m"));
    bash("mkdir d2; cp d/* d2/$'h\\xc2\\x9b31m'; \"$X\" pack d2 i2");
    String image = command.startsWith("maps") ? command.replace(" i ", " i2 ") : command;
    String seen = terminal("\"$X\" " + image.replace("%s", HOSTILE));
    assertThat(seen).contains(command.startsWith("maps") ? "h\\u009b31m" : SHOWN);
    assertHarmless(seen);
  }

  @Test
  void aTerminalGetsJsonOfTheSameMeaningInPlainCharacters() throws Exception {
    String seen = terminal("\"$X\" ls --json i");
    assertThat(seen.replace("\n", "")).doesNotContainPattern("[\\p{Cntrl}\u0080-\u009f\u202e]");
    assertThat(Xip.STRICT_JSON.readTree(seen))
        .isEqualTo(bash("\"$X\" ls --json i").isDone().json());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cat i /no$'%s'",
        "--verbose cat i /no$'%s'",
        "cat no$'%s' /f",
        "$'%s'",
        "ls --$'%s'",
        "bench $'%s'",
        "segment list --store $'%s'/x",
        "segment load $'%s'",
        "segment define A --size $'%s'",
        "pack $'%s' x"
      })
  void aTerminalShowsErrorsAsText(String command) throws Exception {
    assertHarmless(terminal("\"$X\" " + command.replace("%s", HOSTILE)));
  }

  @Test
  void controlCharactersInAStoreAreShownAsText() throws Exception {
    bash(
        "mkdir store; printf '%%s' $'%s' >store/A.def; touch store/$'%s'"
            .formatted(HOSTILE, HOSTILE));
    assertHarmless(terminal("\"$X\" segment list"));
    assertHarmless(terminal("\"$X\" segment check"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"cat i /no$'%s'", "cat no$'%s' /f", "segment load A --store i/$'%s'"})
  void anErrorIsOneLineWhateverTheNameHolds(String command) throws Exception {
    bash("\"$X\" " + command.replace("%s", "a\\nb\\xe2\\x80\\xa8c\\xc2\\x85d")).failsWithOneLine();
  }

  @Test
  void aPipeGetsTheBytes() throws Exception {
    assertThat(bash("[ \"$(\"$X\" ls i | head -c 19)\" = $'%s' ]".formatted(HOSTILE)).exit())
        .isZero();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--version",
        "--help",
        "--verbose -V",
        "ls --help",
        "segment --help",
        "completion",
        "ls i",
        "ls -R --json i",
        "cat i /h*",
        "stat i /",
        "check --all i",
        "maps named",
        "pagetable named",
        "segment list",
        "segment list --json",
        "segment define B --size 4K"
      })
  void outputThatCannotBeWrittenIsAnError(String command) throws Exception {
    if (command.endsWith(" named")) { // the steps of a script are words
      bash("mkdir e; echo text >e/f; \"$X\" pack e named");
    }
    String words = command.replace("/h*", "/$'%s'".formatted(HOSTILE));
    assertThat(bash("\"$X\" " + words + " >/dev/full").err())
        .startsWith("xip: standard output: No space left on device\n");
    Xip.Result closed = bash("\"$X\" " + words.replace(" B ", " C ") + " >&-");
    assertThat(closed.err()).startsWith("xip: ").contains("Bad file descriptor");
    assertThat(closed.exit()).isEqualTo(1);
  }

  @Test
  void aClosedStandardErrorHarmsNothing() throws Exception {
    Path image = folder.resolve("i");
    byte[] before = Files.readAllBytes(image);
    assertThat(bash("\"$X\" cat i /none <&- >&- 2>&-").exit()).isEqualTo(1);
    assertThat(bash("\"$X\" ls i <&- 2>&-").isDone().out()).contains("32m");
    assertThat(image).hasBinaryContent(before);
  }

  @ParameterizedTest
  @ValueSource(strings = {"ls i", "cat i /$'%s'", "--help"})
  void aClosedPipeEndsItQuietly(String command) throws Exception {
    String words = command.replace("%s", HOSTILE);
    assertThat(bash("(sleep 1; \"$X\" " + words + "; echo $? >code) | true; cat code").out())
        .isEqualTo("0\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"ls i", "ls --json i", "cat i /$'%s'", "stat i /"})
  void theImageIsRefusedAsOutput(String command) throws Exception {
    byte[] before = Files.readAllBytes(folder.resolve("i"));
    assertThat(bash("\"$X\" " + command.replace("%s", HOSTILE) + " >>i").failsWithOneLine())
        .contains("input file is output file");
    assertThat(folder.resolve("i")).hasBinaryContent(before);
  }
}
