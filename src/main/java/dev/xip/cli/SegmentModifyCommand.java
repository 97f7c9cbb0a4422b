package dev.xip.cli;

import dev.xip.hold.SegmentHolder;
import dev.xip.segment.SharingMode;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code xip segment modify}: changes how a process holds a segment. */
@Command(
    name = "modify",
    header = "Have the holder of a segment load it again in another mode.",
    description = {
      "%nSends a request to the process that holds the segment, an 'xip segment load', which then"
          + " has the contents that were saved last. Unsaved changes of a private copy are lost. If"
          + " the segment cannot be loaded again, it stays unloaded and its holder ends.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {"  xip segment modify WORK exclusive", "  xip segment modify WORK shared --pid 4711"})
final class SegmentModifyCommand implements Callable<Integer> {
  @Mixin private SegmentOptions.Segment target;

  @Parameters(
      index = "1",
      paramLabel = "MODE",
      completionCandidates = CompletionCommand.ModeNames.class,
      description = "The new mode: shared or exclusive.")
  private SharingMode mode;

  @Mixin private SegmentOptions.Holder holder;

  SegmentModifyCommand() {}

  @Override
  public Integer call() throws IOException {
    SegmentHolder.find(target.store(), target.name(), holder.pid()).modify(mode);
    return Main.DONE;
  }
}
