package dev.xip.cli;

import dev.xip.hold.SegmentHolder;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code xip segment unload}: has a holder unload its segment. */
@Command(
    name = "unload",
    header = "Have the holder of a segment unload it and end.",
    description = {
      "%nSends a request to the process that holds the segment, an 'xip segment load', and waits"
          + " until the segment is unloaded. Unsaved changes of a private copy are lost.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {"  xip segment unload JDK", "  xip segment unload JDK --pid 4711"})
final class SegmentUnloadCommand implements Callable<Integer> {
  @Mixin private SegmentOptions.Segment target;

  @Mixin private SegmentOptions.Holder holder;

  SegmentUnloadCommand() {}

  @Override
  public Integer call() throws IOException {
    SegmentHolder.find(target.store(), target.name(), holder.pid()).unload();
    return Main.DONE;
  }
}
