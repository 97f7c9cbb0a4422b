package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Bash completes xip's commands, options and segment names with the script that xip prints. */
class CompletionIT {
  @TempDir Path folder;

  private Path script;
  private Path store;

  @BeforeEach
  void write() throws Exception {
    script = Files.writeString(folder.resolve("script"), Xip.run("completion").isDone().out());
    store = folder.resolve("the store");
    for (String name : new String[] {"ALPHA", "BETA", "BETTER"}) {
      Xip.run("segment", "define", name, "--size", "4K", "--store", store).isDone();
    }
  }

  /** Presses TAB after the last word. */
  private String complete(String... words) throws Exception {
    String quoted = Stream.of(words).map(word -> "'" + word + "'").collect(Collectors.joining(" "));
    ProcessBuilder builder =
        Processes.builder(
            "bash",
            "-c",
            """
            source "$1"
            compopt() { :; }  # the real one works only while a key is pressed
            COMP_WORDS=(xip %s)
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            COMP_LINE="${COMP_WORDS[*]}"
            COMP_POINT=${#COMP_LINE}
            _complete_xip
            echo "${COMPREPLY[@]}"
            """
                .formatted(quoted),
            "bash",
            script.toString());
    builder.environment().put("XIP_STORE", store.toString());
    return Xip.run(builder).isDone().out().strip();
  }

  @Test
  void commandsAndOptionsAreCompleted() throws Exception {
    assertThat(complete("seg")).isEqualTo("segment");
    assertThat(complete("segment", ""))
        .isEqualTo("define list load read write modify save unload remove check");
    assertThat(complete("segment", "load", "--ex")).isEqualTo("--exclusive");
    assertThat(complete("segment", "define", "X", "--type", "S")).isEqualTo("SW SR SN SC");
    assertThat(complete("segment", "define", "X", "--type", "e")).isEqualTo("EW ER EN");
    assertThat(complete("ls", "--format", "e")).isEqualTo("ext2 ext3 ext4 erofs");
    assertThat(complete("help", "segm")).isEqualTo("segment");
    assertThat(complete("hist")).isEqualTo("history");
    assertThat(complete("history", "1")).isEqualTo("10-jan 15-jan 16-jan 17-jan");
    assertThat(complete("history", "15-jan", "2")).isEqualTo("21-dec 28-mar 2.6.26");
    assertThat(complete("history", "--h")).isEqualTo("--html --help");
  }

  @Test
  void segmentNamesComeFromTheStore() throws Exception {
    for (String command : new String[] {"load", "modify", "save", "unload", "remove"}) {
      assertThat(complete("segment", command, "")).isEqualTo("ALPHA BETA BETTER");
    }
    assertThat(complete("segment", "load", "BE")).isEqualTo("BETA BETTER");
    assertThat(complete("segment", "load", "be")).isEqualTo("BETA BETTER");
    assertThat(complete("ls", "segment:ALPHA:b"))
        .isEqualTo("segment:ALPHA:BETA segment:ALPHA:BETTER");
    assertThat(complete("segment", "modify", "BETA", "")).isEqualTo("shared exclusive");
  }

  @Test
  void namesComeFromTheStoreOfTheOption() throws Exception {
    Path other = folder.resolve("other");
    Xip.run("segment", "define", "OTHER", "--size", "4K", "--store", other).isDone();
    String typed = other.toString().replace(" ", "\\ ");
    assertThat(complete("segment", "load", "--store", typed, "")).isEqualTo("OTHER");
    assertThat(complete("segment", "load", "--store", "/nowhere", "")).isEmpty();
  }

  @Test
  void theShellTakesTheScriptFromThePipe() throws Exception {
    ProcessBuilder builder =
        Processes.builder(
            "bash",
            "-c",
            "source <(\"$0\" completion); complete -p xip",
            Xip.launcher().toString());
    assertThat(Xip.run(builder).isDone().out()).contains("-F _complete_xip xip");
  }

  /**
   * Types the beginning of a command line into a bash at a terminal, presses TAB, and has bash
   * print the words of the completed line.
   */
  private String typed(String line) throws Exception {
    Judge.program("script");
    String script =
        """
        mkdir -p typed; cd typed
        printf '%%s' %s >../line
        PATH=${X%%/*}:$PATH
        { sleep 1; printf 'source ../script\n'; sleep 0.5; cat ../line; printf '\t'; sleep 1
          printf '\001(set -- \005; printf "<%%%%s>" "$@" >result)\n'; sleep 0.5; printf 'exit\n'; } |
          script -qec 'bash --noprofile --norc -i' /dev/null >../screen
        cat result
        """;
    return Shell.bash(folder, script.formatted(quoted(line))).isDone().text();
  }

  private static String quoted(String line) {
    return "'" + line.replace("'", "'\\''") + "'";
  }

  /** An image in the folder in which lines are typed. */
  private void image(String name) throws Exception {
    Files.createDirectories(folder.resolve("typed"));
    Path made = folder.resolve("typed").resolve(name);
    if (Files.exists(folder.resolve("tree"))) {
      Images.ext2(folder.resolve("tree"), made);
      return;
    }
    Path tree = Files.createDirectories(folder.resolve("tree/etc/conf"));
    Files.writeString(tree.resolveSibling("passwd"), "x");
    Path blank = Files.createDirectories(folder.resolve("tree/a dir"));
    for (String each : new String[] {"it's", "new\nline", "$(touch pwned)"}) {
      Files.writeString(blank.resolve(each), "x");
    }
    Files.createSymbolicLink(folder.resolve("tree/link"), Path.of("etc"));
    Images.ext2(folder.resolve("tree"), made);
  }

  /**
   * Completes the last word of each line as it is typed, in the folder of the image, and has bash
   * read the line again with the replacement.
   */
  private List<String> lastWords(String... lines) throws Exception {
    String script =
        """
        PATH=${X%/*}:$PATH
        source ../script
        compopt() { :; }
        while IFS= read -r COMP_LINE; do
          COMP_POINT=${#COMP_LINE}
          _xip_split "$COMP_LINE"
          _complete_xip xip "$raw"
          eval "set -- ${COMP_LINE:0:${#COMP_LINE}-${#raw}}${COMPREPLY[*]}"
          printf '%s\n' "${@:$#}"
        done
        """;
    Files.writeString(folder.resolve("typed/run"), script);
    Files.writeString(folder.resolve("typed/lines"), String.join("\n", lines) + "\n");
    return Shell.bash(folder, "cd typed; bash run <lines").isDone().text().lines().toList();
  }

  @Test
  void aPathInTheImageIsCompletedWhateverBothAreCalled() throws Exception {
    image("p.img");
    image("m: i@g=1'.img");
    assertThat(
            lastWords(
                "xip cat p.img /et",
                "xip ls --offset 0 --format=ext2 p.img li",
                "xip cat p.img /etc/passwd /etc/con",
                "xip run p.img /etc/pa",
                "xip stat p.img /a\\ dir/i",
                "xip stat p.img /a\\ dir/\\$",
                "xip cat m\\:\\ i\\@g\\=1\\'.img /etc/pa",
                "xip cat \"m: i@g=1'.img\" /etc/pa",
                "xip ls nosuch.img ''"))
        .containsExactly(
            "/etc/",
            "link/",
            "/etc/conf/",
            "/etc/passwd",
            "/a dir/it's",
            "/a dir/$(touch pwned)",
            "/etc/passwd",
            "/etc/passwd",
            "nosuch.img");
    assertThat(folder.resolve("typed/pwned")).doesNotExist();
  }

  @Test
  void aPathIsQuotedAsItHasBegun() throws Exception {
    image("l\nf");
    assertThat(typed("xip stat $'l\\nf' '/a dir/i")).isEqualTo("<xip><stat><l\nf></a dir/it's>");
    assertThat(typed("xip stat $'l\\nf' \"/a dir/\\$")).endsWith("</a dir/$(touch pwned)>");
    assertThat(typed("xip cat $'l\\nf' /a\\ dir/n")).endsWith("</a dir/new\nline>");
    assertThat(folder.resolve("typed/pwned")).doesNotExist();
  }

  @Test
  void aHostFileIsCompletedAfterAColon() throws Exception {
    make("a:b c");
    assertThat(typed("xip ls a\\:")).isEqualTo("<xip><ls><a:b c>");
    assertThat(typed("xip ls seg")).isEqualTo("<xip><ls><segment:>");
  }

  private void make(String... names) throws Exception {
    Files.createDirectories(folder.resolve("typed"));
    for (String each : names) {
      Files.writeString(folder.resolve("typed").resolve(each), "");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "xip ls ",
        "xip cp i / ",
        "xip segment define A --from ",
        "xip segment define A --from="
      })
  void aNameThatLooksLikeACommandIsAName(String line) throws Exception {
    make("$(touch pwned)`touch pwned`;touch pwned");
    assertThat(typed(line)).endsWith("$(touch pwned)`touch pwned`;touch pwned>");
    assertThat(folder.resolve("typed/pwned")).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource(
      value = {
        "a blank     | xip ls a       | <xip><ls><a blank>",
        "a blank     | xip ls 'a      | <xip><ls><a blank>",
        "a'quote     | xip ls a       | <xip><ls><a'quote>",
        "ä日本         | xip cat ä      | <xip><cat><ä日本>",
        "two  blanks | xip ls two\\   | <xip><ls><two  blanks>"
      },
      delimiter = '|',
      quoteCharacter = '"')
  void whateverAFileIsCalledItsNameIsCompleted(String name, String line, String words)
      throws Exception {
    make(name);
    assertThat(typed(line)).isEqualTo(words);
  }

  @Test
  void aFolderIsCompletedWhereOneIsExpected() throws Exception {
    make("a file");
    Files.createDirectory(folder.resolve("typed/a folder"));
    assertThat(typed("xip segment list --store a"))
        .isEqualTo("<xip><segment><list><--store><a folder/>");
  }

  @Test
  void aSegmentsNameIsQuoted() throws Exception {
    for (String name : new String[] {"$A#B", "X@Y$Z"}) {
      Xip.run("segment", "define", name, "--size", "4K", "--store", folder.resolve("store"))
          .isDone();
    }
    assertThat(typed("xip segment load \\$A")).isEqualTo("<xip><segment><load><$A#B>");
    assertThat(typed("xip segment load X@")).isEqualTo("<xip><segment><load><X@Y$Z>");
  }

  @Test
  void aPlantedFileOfTheStoreIsNotASegment() throws Exception {
    make("x");
    Files.writeString(
        Files.createDirectory(folder.resolve("store")).resolve("$(touch pwned).def"), "");
    assertThat(typed("xip segment load ")).isEqualTo("<xip><segment><load>");
    assertThat(folder.resolve("typed/pwned")).doesNotExist();
  }
}
