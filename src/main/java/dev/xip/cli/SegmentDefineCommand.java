package dev.xip.cli;

import dev.xip.base.Pages;
import dev.xip.segment.SegmentDefinition;
import dev.xip.segment.SegmentException;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentPart;
import dev.xip.segment.SegmentSource;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.SegmentType;
import dev.xip.segment.StoredSegment;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code xip segment define}: adds a segment to the store. */
@Command(
    name = "define",
    header = "Define a segment, with the contents of a file or partition, or zeros.",
    description = {
      "%nCopies the contents into the store, keeping their holes, and gives the copy a physical"
          + " address: the first free one, that of --at, or those of its parts. A segment longer"
          + " than its contents ends in zeros.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xip segment define JDK --from jdk.img",
      "  xip segment define WORK --from work.img --at 0x200000000 --type EW",
      "  xip segment define ROOT --from disk.img:2",
      "  zcat disk.img.gz | xip segment define DISK --from -",
      "  xip segment define SCRATCH --size 64M --type SN",
      "  xip segment define MIXED --part 100000-1007ff:EW --part 100800-1008ff:EN",
      "",
      "Types: first letter S shared or E exclusive; second R read-only, W writable, N writable and"
          + " not saved; SC is written only by the hypervisor. Several parts must be adjacent, each"
          + " of type EW or EN. SN and EN are not saved, so they take no file."
    })
final class SegmentDefineCommand implements Callable<Integer> {
  @Mixin private SegmentOptions.Store in;

  @Parameters(paramLabel = "NAME", description = "The segment's name.")
  private String name;

  @Mixin private SegmentOptions.From from = new SegmentOptions.From();

  @Option(
      names = "--size",
      paramLabel = "BYTES",
      converter = SegmentNumbers.Bytes.class,
      description =
          "The size, such as 64M, rounded up to pages; default: that of the contents. With"
              + " --offset: the contents, or the disk, have this many bytes of the file.")
  private Long size;

  @Option(
      names = "--at",
      paramLabel = "ADDR",
      converter = SegmentNumbers.Address.class,
      description = "The physical address, a multiple of the page size, decimal or 0x....")
  private Long address;

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      completionCandidates = CompletionCommand.TypeNames.class,
      description = "SW EW SR ER SN EN or SC; default: SR.")
  private SegmentType type;

  @Option(
      names = "--part",
      paramLabel = "FIRST-LAST:TYPE",
      converter = SegmentNumbers.Part.class,
      description = "A part: first and last page in hexadecimal, and its type; up to six.")
  private List<SegmentNumbers.TypedPart> parts = List.of();

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Spec private CommandSpec spec;

  SegmentDefineCommand() {}

  @Override
  public Integer call() throws IOException {
    Long range = from.hasOffset() ? size : null;
    Long whole = from.hasOffset() ? null : size;
    requireConsistent(whole);
    SegmentName segment = SegmentName.of(name);
    if (!from.isGiven()) {
      define(segment, whole == null ? 0 : whole, SegmentSource.zeros());
      return Main.DONE;
    }
    try (Contents contents = from.contents(range, whole == null ? Long.MAX_VALUE : whole)) {
      define(segment, whole == null ? contents.bytes() : whole, contents.source());
    }
    return Main.DONE;
  }

  private void define(SegmentName segment, long bytes, SegmentSource source) throws IOException {
    SegmentStore store = in.create();
    SegmentText.print(define(store, segment, bytes, source), json);
  }

  /**
   * Refuses options that contradict each other.
   *
   * @param whole the size of the segment, null if it is not given
   */
  private void requireConsistent(Long whole) {
    if (parts.isEmpty() && !from.isGiven() && whole == null) {
      throw new ParameterException(spec.commandLine(), "--from, --size or --part is needed");
    }
    if (!parts.isEmpty() && (whole != null || address != null || type != null)) {
      throw new ParameterException(
          spec.commandLine(), "--part cannot be combined with --size, --at or --type");
    }
  }

  private StoredSegment define(
      SegmentStore store, SegmentName segment, long bytes, SegmentSource source)
      throws SegmentException {
    SegmentType wanted = type == null ? SegmentType.SR : type;
    if (parts.isEmpty() && address == null) {
      return store.define(segment, wanted, bytes, source);
    }
    List<SegmentPart> checked = new ArrayList<>();
    for (SegmentNumbers.TypedPart each : parts) {
      checked.add(each.toPart());
    }
    if (parts.isEmpty()) {
      long first = address >>> Pages.SHIFT;
      long pages = bytes == 0 ? 1 : (bytes - 1 >>> Pages.SHIFT) + 1;
      checked.add(SegmentPart.of(wanted, first, first + pages - 1));
    }
    return store.define(SegmentDefinition.of(segment, checked), source);
  }
}
