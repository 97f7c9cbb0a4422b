package dev.xip.cli;

import dev.xip.segment.SegmentType;
import dev.xip.segment.SharingMode;
import java.io.IOException;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code xip completion}: prints what teaches bash to complete xip's command lines. */
@Command(
    name = "completion",
    header = "Print a script that lets bash complete commands, options and segment names.",
    description = "%nThe shell that reads it completes at TAB; so does zsh.%n",
    footerHeading = "%nExamples:%n",
    footer = {
      "  source <(xip completion)                            in this shell",
      "  xip completion >~/.local/share/bash-completion/completions/xip     in all of them"
    })
final class CompletionCommand implements Callable<Integer> {
  private static final String SEGMENTS_CALL = "$(_xip_segments)";

  /** Looks where the command would: it must not start a JVM for each TAB. */
  private static final String SEGMENTS_FUNCTION =
      """

      # _xip_segments prints the names of the segments in the store that the command line means.
      function _xip_segments() {
        local store="${XIP_STORE:-${XDG_DATA_HOME:-$HOME/.local/share}/xip/segments}" i file
        for ((i = 1; i < COMP_CWORD; i++)); do
          [[ ${COMP_WORDS[i]} == --store ]] && store=${COMP_WORDS[i + 1]}
        done
        for file in "${store/#~\\//$HOME/}"/*.def; do
          file=${file##*/}
          [[ $file != '*.def' ]] && printf '%s\\n' "${file%.def}"
        done
      }
      """;

  @Spec private CommandSpec spec;

  CompletionCommand() {}

  @Override
  public Integer call() throws IOException {
    String script = AutoComplete.bash("xip", spec.root().commandLine());
    Output out = new Output();
    // Within quotation marks all names would be one.
    out.text(script.replace('"' + SEGMENTS_CALL + '"', SEGMENTS_CALL));
    out.text(SEGMENTS_FUNCTION);
    out.flush();
    return Main.DONE;
  }

  /** What picocli takes for the one candidate is a call, made when the shell needs the names. */
  static final class SegmentNames implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return List.of(SEGMENTS_CALL).iterator();
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
