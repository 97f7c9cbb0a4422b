package dev.xip.cli;

import dev.xip.hold.SegmentHolder;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code xip segment save}: makes a new version of a segment. */
@Command(
    name = "save",
    header = "Give a segment new contents: its holder's memory, or a file.",
    description = {
      "%nWithout --from, the process that holds the segment saves its memory. Later"
          + " loads get the new contents; processes that have the old contents loaded keep them.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {"  xip segment save WORK", "  xip segment save JDK --from newer.img"})
final class SegmentSaveCommand implements Callable<Integer> {
  @Mixin private SegmentOptions.Segment target;

  @Option(
      names = "--from",
      paramLabel = "FILE",
      converter = HostPlace.InputFile.class,
      description =
          "The file with the contents, at most as long as the segment; - is standard input.")
  private Path file;

  @Mixin private SegmentOptions.Holder holder;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  SegmentSaveCommand() {}

  @Override
  public Integer call() throws IOException {
    SegmentStore store = target.store();
    SegmentName name = target.name();
    if (file != null) {
      try (Contents contents = Contents.of(file, Long.MAX_VALUE)) {
        SegmentText.print(store.save(name, contents.source()), json);
      }
    } else {
      SegmentHolder.find(store, name, holder.pid()).save();
      SegmentText.print(store.query(name), json);
    }
    return Main.DONE;
  }
}
