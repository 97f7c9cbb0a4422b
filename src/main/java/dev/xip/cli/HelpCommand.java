package dev.xip.cli;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** {@code xip help}: shows the help of a command. */
@Command(
    name = "help",
    header = "Show the help of a command, as its --help does.",
    footerHeading = "%nExamples:%n",
    footer = {"  xip help", "  xip help ls", "  xip help segment load"})
final class HelpCommand implements Callable<Integer> {
  @Parameters(
      arity = "0..*",
      paramLabel = "COMMAND",
      completionCandidates = Commands.Names.class,
      description = "A command, or several words of one; default: xip itself.")
  private List<String> words = List.of();

  @Spec private CommandSpec spec;

  HelpCommand() {}

  @Override
  public Integer call() {
    CommandLine found = spec.root().commandLine();
    for (String each : words) {
      CommandLine below = found.getSubcommands().get(each);
      if (below == null) {
        throw new UnmatchedArgumentException(found, List.of(each));
      }
      found = below;
    }
    spec.root().commandLine().getOut().print(found.getUsageMessage());
    return Main.DONE;
  }
}
