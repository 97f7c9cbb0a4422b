package dev.xip.cli;

import dev.xip.segment.SegmentType;
import dev.xip.segment.SharingMode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Spec;

/** {@code xip completion}: prints a completion script for bash. */
@Command(
    name = "completion",
    header = "Print a script that lets bash complete commands, files, and paths inside an image.",
    description =
        "%nA bash or zsh that reads the script completes at TAB: commands, options and their"
            + " values, host files, names of segments, and paths inside the image once it is"
            + " named.%n",
    footerHeading = "%nExamples:%n",
    footer = {
      "  source <(xip completion)                            in this shell",
      "  xip completion >~/.local/share/bash-completion/completions/xip     in all shells"
    })
final class CompletionCommand implements Callable<Integer> {
  private static final String SEGMENT = "segment";

  private static final String HEAD =
      """
      # Completes the command lines of xip in bash, and in zsh through its bashcompinit.
      if [[ -n $ZSH_VERSION ]]; then
        autoload -U +X compinit && compinit
        autoload -U +X bashcompinit && bashcompinit
      fi

      # _xip_grammar COMMAND sets its subcommands, its options, the kinds of option values and of
      # operands, and whether options end at the first operand. A kind is file, folder, image, path
      # (in the image), segment, none, or words separated by commas; an operand with a plus repeats.
      function _xip_grammar() {
        case $1 in
      """;

  /** The rest of the script, which lies beside this class. */
  private static final String FUNCTIONS = "completion.bash";

  @Spec private CommandSpec spec;

  CompletionCommand() {}

  @Override
  public Integer call() throws IOException {
    Output out = new Output();
    out.text(HEAD);
    printGrammar(spec.root(), out);
    try (InputStream functions = CompletionCommand.class.getResourceAsStream(FUNCTIONS)) {
      out.text(new String(functions.readAllBytes(), StandardCharsets.UTF_8));
    }
    out.flush();
    return Main.DONE;
  }

  private static void printGrammar(CommandSpec command, Output out) throws IOException {
    List<String> options = new ArrayList<>();
    List<String> values = new ArrayList<>();
    for (OptionSpec option : command.options()) {
      if (option.hidden()) {
        continue;
      }
      for (String name : option.names()) {
        options.add(name);
        if (option.arity().max() > 0) {
          values.add(name + "=" + kind(option));
        }
      }
    }
    out.line("    '%s')".formatted(command.qualifiedName(" ")));
    List<CommandSpec> commands =
        command.subcommands().values().stream()
            .map(CommandLine::getCommandSpec)
            .filter(each -> !each.usageMessage().hidden())
            .toList();
    printWords("commands", commands.stream().map(CommandSpec::name).toList(), out);
    printWords("options", options, out);
    printWords("values", values, out);
    printWords(
        "operands",
        command.positionalParameters().stream().map(CompletionCommand::operand).toList(),
        out);
    out.line("      stops=" + (command.parser().stopAtPositional() ? "yes" : ""));
    out.line("      ;;");
    for (CommandSpec each : commands) {
      printGrammar(each, out);
    }
  }

  private static void printWords(String name, Iterable<String> words, Output out)
      throws IOException {
    out.line("      %s='%s'".formatted(name, String.join(" ", words)));
  }

  private static String operand(PositionalParamSpec operand) {
    return kind(operand) + (operand.index().max() == Integer.MAX_VALUE ? "+" : "");
  }

  private static String kind(ArgSpec argument) {
    if (argument.completionCandidates() != null) {
      return String.join(",", argument.completionCandidates());
    }
    return switch (argument.paramLabel()) {
      case "DIR" -> "folder";
      case "IMAGE" -> "image";
      case "PATH", "PROGRAM" -> "path";
      case "FILE", "SCRIPT", "DEST", "COMMAND", "HOST:GUEST[:ro]" -> "file";
      default -> "none";
    };
  }

  /** A placeholder for the names of the segments that are in the store at TAB. */
  static final class SegmentNames implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return List.of(SEGMENT).iterator();
    }
  }

  /** The types that a segment can be defined with. */
  static final class TypeNames implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Stream.of(SegmentType.values())
          .filter(type -> type != SegmentType.EWEN)
          .map(SegmentType::name)
          .iterator();
    }
  }

  /** The modes as they are printed. */
  static final class ModeNames implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Stream.of(SharingMode.values()).map(SegmentText::of).iterator();
    }
  }
}
