package dev.xip.cli;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.UnmatchedArgumentException;

/** Says which word of a command line is not known, and which one it resembles. */
final class DidYouMean {
  private DidYouMean() {}

  /** {@return the message in one line} */
  static String line(UnmatchedArgumentException e) {
    CommandSpec spec = e.getCommandLine().getCommandSpec();
    String word = e.getUnmatched().getFirst();
    List<String> known = new ArrayList<>();
    String kind = "argument";
    if (word.startsWith("-")) {
      kind = "option";
      for (OptionSpec option : spec.options()) {
        known.addAll(option.hidden() ? List.of() : List.of(option.names()));
      }
    } else if (!spec.subcommands().isEmpty()) {
      kind = "command";
      spec.subcommands().forEach((name, each) -> addVisible(name, each.getCommandSpec(), known));
    }
    String nearest = nearest(word, known);
    return "unknown %s: '%s'%s"
        .formatted(kind, word, nearest == null ? "" : "; did you mean %s?".formatted(nearest));
  }

  private static void addVisible(String name, CommandSpec command, List<String> names) {
    if (!command.usageMessage().hidden()) {
      names.add(name);
    }
  }

  /** {@return the known word with the fewest changes from what was typed; null if none is near} */
  private static String nearest(String typed, List<String> known) {
    String nearest = null;
    int fewest = 1 + (typed.length() + 1) / 3;
    for (String each : known) {
      int changes = changes(typed, each);
      if (changes < fewest) {
        fewest = changes;
        nearest = each;
      }
    }
    return nearest;
  }

  /**
   * {@return how many characters are to be added, left out, replaced, or exchanged with the next}
   */
  private static int changes(String from, String to) {
    int[][] cost = new int[from.length() + 1][to.length() + 1];
    for (int i = 0; i <= from.length(); i++) {
      for (int j = 0; j <= to.length(); j++) {
        if (i == 0 || j == 0) {
          cost[i][j] = i + j;
          continue;
        }
        int replaced = from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1;
        cost[i][j] =
            Math.min(Math.min(cost[i - 1][j], cost[i][j - 1]) + 1, cost[i - 1][j - 1] + replaced);
        if (i > 1
            && j > 1
            && from.charAt(i - 1) == to.charAt(j - 2)
            && from.charAt(i - 2) == to.charAt(j - 1)) {
          cost[i][j] = Math.min(cost[i][j], cost[i - 2][j - 2] + 1);
        }
      }
    }
    return cost[from.length()][to.length()];
  }
}
