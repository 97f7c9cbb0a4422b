package dev.xip.cli;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine;

/**
 * The commands by name, in the order in which the help shows them. Picocli reads every annotation
 * of each command that it is given, which takes ten times as long as a short command; so it is
 * given only the command that is asked for, or all of them if none is.
 */
final class Commands {
  private static final String RUN = "run";
  private static final Map<String, Class<?>> ALL = new LinkedHashMap<>();

  static {
    ALL.put("demo", DemoCommand.class);
    ALL.put("history", HistoryCommand.class);
    ALL.put("pack", PackCommand.class);
    ALL.put("ls", LsCommand.class);
    ALL.put("cat", CatCommand.class);
    ALL.put("stat", StatCommand.class);
    ALL.put("cp", CpCommand.class);
    ALL.put("check", CheckCommand.class);
    ALL.put("segment", SegmentCommand.class);
    ALL.put(RUN, RunCommand.class);
    ALL.put("maps", ScenarioCommands.Maps.class);
    ALL.put("pagetable", ScenarioCommands.PageTables.class);
    ALL.put("bench", BenchCommand.class);
    ALL.put("completion", CompletionCommand.class);
  }

  private Commands() {}

  /** Adds the command named by the first word that is not an option, or all if it names none. */
  static void addTo(CommandLine line, String[] arguments) {
    String word =
        Arrays.stream(arguments).filter(each -> !each.startsWith("-")).findFirst().orElse("");
    Class<?> asked = ALL.get(word);
    if (asked == null || asked == CompletionCommand.class) { // the script covers all commands
      ALL.forEach(line::addSubcommand);
    } else {
      line.addSubcommand(word, asked);
      if (word.equals(RUN)) { // what follows the image belongs to the program
        line.getSubcommands().get(word).setStopAtPositional(true);
      }
    }
  }
}
