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
    header = "Have a segment that is held loaded again in another mode.",
    description = {
      "%nAsks the process that holds the segment, an 'xip segment load'. It gets the contents that"
          + " were saved last; what was stored to a private copy and not saved is lost. If the"
          + " segment cannot be loaded again, it is gone and its holder ends.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {"  xip segment modify WORK exclusive", "  xip segment modify WORK shared --pid 4711"})
final class SegmentModifyCommand implements Callable<Integer> {
  @Mixin private SegmentOptions.Segment target;

  @Parameters(
      index = "1",
      paramLabel = "MODE",
      completionCandidates = CompletionCommand.ModeNames.class,
      description = "The mode that it is to have: shared or exclusive.")
  private SharingMode mode;

  @Mixin private SegmentOptions.Holder holder;

  SegmentModifyCommand() {}

  @Override
  public Integer call() throws IOException {
    SegmentHolder.find(target.store(), target.name(), holder.pid()).modify(mode);
    return Main.DONE;
  }
}
