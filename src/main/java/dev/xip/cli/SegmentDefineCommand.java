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
import java.nio.file.Path;
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
    header = "Define a segment, with the contents of a file or zeros.",
    description = {
      "%nCopies the file into the store, keeping its holes, and gives the copy a physical"
          + " address: the first free one, that of --at, or those of its parts. A segment longer"
          + " than the file ends in zeros.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xip segment define JDK --from jdk.img",
      "  xip segment define WORK --from disk.img --at 0x200000000 --type EW",
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

  @Option(
      names = "--from",
      paramLabel = "FILE",
      converter = HostPlace.InputFile.class,
      description =
          "The file with the contents; a pipe, - for standard input, or a block device is read to"
              + " its end.")
  private Path file;

  @Option(
      names = "--size",
      paramLabel = "BYTES",
      converter = SegmentNumbers.Bytes.class,
      description = "The size, such as 64M, rounded up to pages; default: that of the file.")
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
    requireConsistent();
    SegmentName segment = SegmentName.of(name);
    if (file == null) {
      define(segment, 0, SegmentSource.zeros());
      return Main.DONE;
    }
    try (Contents contents = Contents.of(file, size == null ? Long.MAX_VALUE : size)) {
      define(segment, contents.bytes(), contents.source());
    }
    return Main.DONE;
  }

  private void define(SegmentName segment, long bytes, SegmentSource source) throws IOException {
    SegmentStore store = in.create();
    SegmentText.print(define(store, segment, size == null ? bytes : size, source), json);
  }

  private void requireConsistent() {
    if (parts.isEmpty() && file == null && size == null) {
      throw new ParameterException(spec.commandLine(), "--from, --size or --part is needed");
    }
    if (!parts.isEmpty() && (size != null || address != null || type != null)) {
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
