package dev.xip.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code xip segment remove}: removes a segment from the store. */
@Command(
    name = "remove",
    header = "Remove a segment from the store.",
    description = "%nProcesses that have it loaded keep it until they unload it.%n",
    footerHeading = "%nExamples:%n",
    footer = "  xip segment remove JDK")
final class SegmentRemoveCommand implements Callable<Integer> {
  @Mixin private SegmentOptions.Segment target;

  SegmentRemoveCommand() {}

  @Override
  public Integer call() throws IOException {
    target.store().remove(target.name());
    return Main.DONE;
  }
}
