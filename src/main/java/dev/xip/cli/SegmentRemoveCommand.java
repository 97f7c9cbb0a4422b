package dev.xip.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code xip segment remove}: takes a segment out of the store. */
@Command(
    name = "remove",
    header = "Remove a segment from the store.",
    description = "%nWhoever has it loaded keeps it until they leave.%n",
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
