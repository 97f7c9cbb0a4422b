package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Processes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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

  /** Presses TAB behind the last word. */
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
        .isEqualTo("define list load modify save unload remove check");
    assertThat(complete("segment", "load", "--ex")).isEqualTo("--exclusive");
    assertThat(complete("segment", "define", "X", "--type", "S")).isEqualTo("SW SR SN SC");
  }

  @Test
  void segmentNamesComeFromTheStore() throws Exception {
    for (String command : new String[] {"load", "modify", "save", "unload", "remove"}) {
      assertThat(complete("segment", command, "")).isEqualTo("ALPHA BETA BETTER");
    }
    assertThat(complete("segment", "load", "BE")).isEqualTo("BETA BETTER");
    assertThat(complete("segment", "modify", "BETA", "")).isEqualTo("shared exclusive");
  }

  @Test
  void theOptionForTheStoreIsObeyed() throws Exception {
    Path other = folder.resolve("other");
    Xip.run("segment", "define", "OTHER", "--size", "4K", "--store", other).isDone();
    assertThat(complete("segment", "load", "--store", other.toString(), "")).isEqualTo("OTHER");
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
}
