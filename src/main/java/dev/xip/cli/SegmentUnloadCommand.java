package dev.xip.cli;

import dev.xip.hold.SegmentHolder;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code xip segment unload}: ends a hold. */
@Command(
    name = "unload",
    header = "Have a segment that is held unloaded, and its holder end.",
    description = {
      "%nAsks the process that holds the segment, an 'xip segment load', and is done when the"
          + " segment is unloaded. What was stored to a private copy and not saved is lost.%n"
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
