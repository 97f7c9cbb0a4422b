package dev.xip.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code xip segment}: the commands for a segment store. */
@Command(
    name = "segment",
    header = "Work with the segments that processes share.",
    synopsisSubcommandLabel = "COMMAND",
    description = {
      "%nA segment is a named range of physical memory, saved in a folder, the store. A loaded"
          + " segment has no page frames.%n",
      "A store trusts the owner of its folder, you and root. A file in it that belongs to another"
          + " user, or is a link, pipe, socket or directory in place of a file, is not read,"
          + " followed or written to; list and check report it. Requests go only to holders of your"
          + " own and of root. Users who may write to the folder can remove segments, but not"
          + " replace them by others.%n"
    },
    commandListHeading = "Commands:%n",
    footerHeading = "%nExamples:%n",
    footer = {
      "  xip segment define JDK --from jdk.img",
      "  xip segment list",
      "  xip segment load JDK      (holds it until it is told to stop)",
      "  xip segment unload JDK    (stops it, from another shell)",
      "",
      "The store is --store, else $$XIP_STORE, else $$XDG_DATA_HOME/xip/segments, else"
          + " ~/.local/share/xip/segments. Names have 1 to 8 letters, digits or $$#@_, in upper"
          + " case."
    },
    subcommands = {
      SegmentDefineCommand.class,
      SegmentListCommand.class,
      SegmentLoadCommand.class,
      SegmentReadCommand.class,
      SegmentWriteCommand.class,
      SegmentModifyCommand.class,
      SegmentSaveCommand.class,
      SegmentUnloadCommand.class,
      SegmentRemoveCommand.class,
      SegmentCheckCommand.class
    })
final class SegmentCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  SegmentCommand() {}

  @Override
  public Integer call() {
    throw new ParameterException(spec.commandLine(), "a segment command is needed");
  }
}
