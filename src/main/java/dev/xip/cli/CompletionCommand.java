package dev.xip.cli;

import dev.xip.segment.SegmentType;
import dev.xip.segment.SharingMode;
import java.io.IOException;
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
    header = "Print a script that lets bash complete commands, options, files and segment names.",
    description = "%nA bash or zsh that reads the script completes at TAB.%n",
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

      # _xip_grammar COMMAND sets its subcommands, its options, and the kinds of option values and
      # of operands. A kind is file, folder, segment, none, or words separated by commas; an operand
      # with a plus repeats.
      function _xip_grammar() {
        case $1 in
      """;

  /**
   * Names that other users chose are left to the shell's own completion, which quotes them, or are
   * checked before they are offered; they are never evaluated. No JVM is started for a TAB.
   */
  private static final String FUNCTIONS =
      """
        esac
      }

      # _xip_segments prints the names of the segments in the store of the command line.
      function _xip_segments() {
        local LC_ALL=C form='^[A-Z0-9$#@_]{1,8}$' i file
        local store="${XIP_STORE:-${XDG_DATA_HOME:-$HOME/.local/share}/xip/segments}"
        for ((i = 1; i < COMP_CWORD; i++)); do
          if [[ ${COMP_WORDS[i]} == --store ]]; then
            store=${COMP_WORDS[i + 1]}
            [[ $store == '=' ]] && store=${COMP_WORDS[i + 2]}
            store=${store/#\\~\\//$HOME/}
            store=${store//[\\\\\\"\\']/}
          fi
        done
        for file in "$store"/*.def; do
          file=${file##*/}
          file=${file%.def}
          [[ $file =~ $form ]] && printf '%s\\n' "$file"
        done
      }

      function _complete_xip() {
        local word=${COMP_WORDS[COMP_CWORD]} command=xip option='' plain='' kind position=0 i each
        local commands options values operands
        COMPREPLY=()
        _xip_grammar "$command"
        for ((i = 1; i < COMP_CWORD; i++)); do
          each=${COMP_WORDS[i]}
          if [[ -n $option ]]; then
            [[ $each == '=' ]] || option=''
          elif [[ -z $plain && $each == -- ]]; then
            plain=yes
          elif [[ -z $plain && $each == -* ]]; then
            [[ " $values" == *" $each="* ]] && option=$each
          elif [[ $each == @ ]]; then
            position=$((position - 1))
          elif [[ " $commands " == *" $each "* ]]; then
            command="$command $each"
            _xip_grammar "$command"
          else
            position=$((position + 1))
          fi
        done
        # Bash makes = and @ words of their own, also within a word.
        [[ $word == @ ]] && position=$((position - 1))
        [[ $word == '=' ]] && word=''
        if [[ -n $option ]]; then
          each=" $values"
          each=${each#*" $option="}
          kind=${each%% *}
        elif [[ -z $plain && $word == -* ]]; then
          kind=${options// /,}
        elif [[ -n $commands ]]; then
          kind=${commands// /,}
        else
          each="$operands none+ "
          while ((position-- > 0)) && [[ ${each%% *} != *+ ]]; do
            each=${each#* }
          done
          kind=${each%% *}
          kind=${kind%+}
        fi
        case $kind in
          file) ;;
          folder) compopt +o default -o dirnames 2>/dev/null ;;
          none) compopt +o default 2>/dev/null ;;
          segment) _xip_reply "$(_xip_segments)" ;;
          *) _xip_reply "${kind//,/$'\\n'}" ;;
        esac
      }

      # _xip_reply NAMES offers the lines that begin with the word, quoted.
      function _xip_reply() {
        local each quoted line=${COMP_LINE:0:COMP_POINT} typed
        # The word that the shell replaces may begin within a name, after an @.
        typed=${line##*[[:blank:]=]}
        [[ $typed == *"$word" ]] || typed=$word
        compopt +o default 2>/dev/null
        while IFS= read -r each; do
          printf -v quoted %q "$each"
          if [[ -n $each && $quoted == "$typed"* ]]; then
            COMPREPLY+=("${quoted:${#typed}-${#word}}")
          fi
        done <<<"$1"
      }

      complete -o default -F _complete_xip xip
      """;

  @Spec private CommandSpec spec;

  CompletionCommand() {}

  @Override
  public Integer call() throws IOException {
    Output out = new Output();
    out.text(HEAD);
    printGrammar(spec.root(), out);
    out.text(FUNCTIONS);
    out.flush();
    return Main.DONE;
  }

  private static void printGrammar(CommandSpec command, Output out) throws IOException {
    List<String> options = new ArrayList<>();
    List<String> values = new ArrayList<>();
    for (OptionSpec option : command.options()) {
      for (String name : option.names()) {
        options.add(name);
        if (option.arity().max() > 0) {
          values.add(name + "=" + kind(option));
        }
      }
    }
    out.line("    '%s')".formatted(command.qualifiedName(" ")));
    printWords("commands", command.subcommands().keySet(), out);
    printWords("options", options, out);
    printWords("values", values, out);
    printWords(
        "operands",
        command.positionalParameters().stream().map(CompletionCommand::operand).toList(),
        out);
    out.line("      ;;");
    for (CommandLine each : command.subcommands().values()) {
      printGrammar(each.getCommandSpec(), out);
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
      case "IMAGE", "FILE", "SCRIPT", "DEST", "COMMAND" -> "file";
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
