package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Images;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each command that the help names is run once, here or, where it takes long, in another test. */
class EveryCommandIT {
  private static final Pattern LISTED = Pattern.compile("(?m)^  ([a-z]+) {2,}\\S.*$");

  /** Those that take seconds or need a processor. */
  private static final Map<String, Class<?>> ELSEWHERE =
      Map.of("demo", DemoIT.class, "run", RunIT.class);

  /** What each does to the image i of a file f, and a part of what it prints. */
  private static final Map<String, List<String>> HERE = new LinkedHashMap<>();

  static {
    HERE.put("pack", List.of("pack tree made.img", "made.img: ext2, "));
    HERE.put("ls", List.of("ls i", "f\nlost+found\n"));
    HERE.put("cat", List.of("cat i /f", "text\n"));
    HERE.put("stat", List.of("stat i /f", "5 bytes in "));
    HERE.put("cp", List.of("cp i /f copy && cat copy", "text\n"));
    HERE.put("check", List.of("check i", "in place: 1 files with 5 bytes\n"));
    HERE.put("maps", List.of("maps i", "== parent\n"));
    HERE.put("pagetable", List.of("pagetable i", "SPECIAL"));
    HERE.put("history", List.of("history --list", "21-dec"));
    HERE.put(
        "bench",
        List.of(
            "bench fork-exit --segments 1 --threads 1 --strategies special-bit", "special-bit "));
    HERE.put("completion", List.of("completion", "complete -o default -F _complete_xip xip"));
    HERE.put("help", List.of("help ls", "Usage: xip ls "));
    HERE.put("segment define", List.of("segment define A --size 8K --type SW", "A: SW ["));
    HERE.put("segment list", List.of("segment list", "A        SW "));
    HERE.put("segment load", List.of("segment load A -- echo held", "held\n"));
    HERE.put("segment write", List.of("segment write A 4K <tree/f", ""));
    HERE.put("segment read", List.of("segment read A 4096 5", "text\n"));
    HERE.put("segment save", List.of("segment save A --from tree/f", ", version 2\n"));
    HERE.put("segment check", List.of("segment check", ""));
    HERE.put(
        "segment modify",
        List.of(
            "segment load A <pipe & exec 3>pipe; until \"$X\" segment modify A exclusive"
                + " 2>/dev/null; do sleep 0.1; done; \"$X\" segment list; exec 3>&-; wait",
            " exclusive "));
    HERE.put(
        "segment unload",
        List.of(
            "segment load A <pipe & exec 3>pipe; until \"$X\" segment unload A 2>/dev/null; do"
                + " sleep 0.1; done; wait; echo gone",
            "gone\n"));
    HERE.put("segment remove", List.of("segment remove A", ""));
  }

  @TempDir Path folder;

  private static List<String> listed(String help) {
    List<String> names = new ArrayList<>();
    Matcher line = LISTED.matcher(help.substring(help.indexOf("\nCommands:"), end(help)));
    while (line.find()) {
      names.add(line.group(1));
    }
    return names;
  }

  private static int end(String help) {
    return help.indexOf("\nExamples:");
  }

  @Test
  void eachCommandOfTheHelpIsRun() throws Exception {
    List<String> commands = new ArrayList<>();
    for (String each : listed(Xip.run("--help").isDone().out())) {
      if (each.equals("segment")) {
        listed(Xip.run(each, "--help").isDone().out())
            .forEach(below -> commands.add("segment " + below));
      } else {
        commands.add(each);
      }
    }
    List<String> run = new ArrayList<>(HERE.keySet());
    run.addAll(ELSEWHERE.keySet());
    assertThat(commands).hasSizeGreaterThan(20).containsExactlyInAnyOrderElementsOf(run);

    Files.writeString(Files.createDirectory(folder.resolve("tree")).resolve("f"), "text\n");
    Images.ext2(folder.resolve("tree"), folder.resolve("i"), "-b", "4096");
    Shell.bash(folder, "mkfifo pipe").isDone();
    for (Map.Entry<String, List<String>> each : HERE.entrySet()) {
      assertThat(Shell.bash(folder, "\"$X\" " + each.getValue().getFirst()).isDone().out())
          .as(each.getKey())
          .contains(each.getValue().getLast());
    }
  }

  @Test
  void noLineOfHelpIsWiderThanTheTerminal() throws Exception {
    for (int width : new int[] {60, 80}) {
      for (String command : List.of("", "pack", "run", "bench", "segment define")) {
        String help = help(width, command);
        assertThat(help.lines())
            .as("help %s", command)
            .contains("Examples:")
            .allMatch(line -> line.length() <= width);
      }
    }
    assertThat(help(80, ""))
        .contains(
            "\n  xip history                         how the special bit came to be, run step\n")
        .contains("\n                                      by step\n");
  }

  /** The help on a terminal, without bold and colours. */
  private String help(int width, String command) throws Exception {
    String script = "stty cols %d; \"$X\" help %s".formatted(width, command);
    return Shell.terminal(folder, script).replaceAll("\u001b\\[[0-9;]*m", "");
  }
}
