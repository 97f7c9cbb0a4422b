package dev.xip.cli;

import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine;

/**
 * The commands by name, in the order in which the help shows them. Picocli reads every annotation
 * of each command that it is given, which takes ten times as long as a short command; so it is
 * given only the command that is asked for, or all of them if none is.
 */
final class Commands {
  private static final String RUN = "run";

  /** Commands for scripts, which help does not show. */
  private static final String PATHS = "paths";

  private static final String MAN = "man";
  private static final Map<String, Class<?>> ALL = new LinkedHashMap<>();

  /** Those that tell about all commands. */
  private static final Set<Class<?>> NEED_ALL =
      Set.of(CompletionCommand.class, HelpCommand.class, ManCommand.class);

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
    ALL.put("help", HelpCommand.class);
    ALL.put(PATHS, PathsCommand.class);
    ALL.put(MAN, ManCommand.class);
  }

  private Commands() {}

  /** Adds the command named by the first word that is not an option, or all if it names none. */
  static void addTo(CommandLine line, String[] arguments) {
    String word =
        Arrays.stream(arguments).filter(each -> !each.startsWith("-")).findFirst().orElse("");
    Class<?> asked = ALL.get(word);
    if (asked == null || NEED_ALL.contains(asked)) {
      ALL.forEach(line::addSubcommand);
    } else {
      line.addSubcommand(word, asked);
    }
    CommandLine run = line.getSubcommands().get(RUN);
    if (run != null) { // what follows the image belongs to the program
      run.setStopAtPositional(true);
    }
  }

  /** The names, which are completed. */
  static final class Names implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return ALL.keySet().stream().filter(each -> !List.of(PATHS, MAN).contains(each)).iterator();
    }
  }
}
