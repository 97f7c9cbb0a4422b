package dev.xip.cli;

import dev.xip.hold.SegmentHolder;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentStore;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code xip segment save}: makes a new version of a segment. */
@Command(
    name = "save",
    header = "Give a segment new contents: its holder's memory, or a file.",
    description = {
      "%nWithout --from, the process that holds the segment saves its memory. Later"
          + " loads get the new contents; processes that have the old contents loaded keep them.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xip segment save WORK",
      "  xip segment save JDK --from newer.img",
      "  xip segment save ROOT --from disk.img:label=root"
    })
final class SegmentSaveCommand implements Callable<Integer> {
  @Mixin private SegmentOptions.Segment target;

  @Mixin private SegmentOptions.From from = new SegmentOptions.From();

  @Option(
      names = "--size",
      paramLabel = "BYTES",
      converter = SegmentNumbers.Bytes.class,
      description =
          "The contents, or the disk, have this many bytes of the file; default: up to its end.")
  private Long size;

  @Mixin private SegmentOptions.Holder holder;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Spec private CommandSpec spec;

  SegmentSaveCommand() {}

  @Override
  public Integer call() throws IOException {
    SegmentStore store = target.store();
    SegmentName name = target.name();
    if ((size != null || from.hasOffset()) && !from.isGiven()) {
      throw new ParameterException(spec.commandLine(), "--size: expected --from FILE");
    }
    if (from.isGiven()) {
      try (Contents contents = from.contents(size, Long.MAX_VALUE)) {
        SegmentText.print(store.save(name, contents.source()), json);
      }
    } else {
      SegmentHolder.find(store, name, holder.pid()).save();
      SegmentText.print(store.query(name), json);
    }
    return Main.DONE;
  }
}
