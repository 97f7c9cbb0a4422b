package dev.xip.cli;

import dev.xip.hold.HeldSegment;
import dev.xip.segment.SavedSegment;
import dev.xip.segment.SegmentState;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.SegmentType;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code xip segment write}: stores bytes into a segment. */
@Command(
    name = "write",
    header = "Store standard input into a segment that is shared and writable.",
    description = {
      "%nLoads the segment shared and stores standard input, up to its end, from OFFSET on. All"
          + " processes that have the segment loaded shared see the bytes at once. Stores to a"
          + " segment of type SN last as long as another process has it loaded. Segments of other"
          + " types than SW and SN take a new version by 'xip segment save --from'.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  printf hello | xip segment write WORK 0",
      "  xip segment load WORK -- sh -c 'date | xip segment write WORK 4K; make test'"
    })
final class SegmentWriteCommand implements Callable<Integer> {
  @Mixin private SegmentOptions.Segment target;

  @Parameters(
      index = "1",
      paramLabel = "OFFSET",
      converter = SegmentNumbers.Offset.class,
      description = "Where the first byte goes, counted from the start of the segment.")
  private long offset;

  SegmentWriteCommand() {}

  @Override
  @SuppressWarnings("try") // Standard input is not closed.
  public Integer call() throws IOException {
    SegmentStore store = target.store();
    FileChannel input = new FileInputStream(FileDescriptor.in).getChannel();
    try (HeldSegment held = HeldSegment.loadAlone(store, target.name());
        Arena arena = Arena.ofConfined()) {
      SavedSegment segment = held.segment();
      requireLasting(store, segment);
      SegmentReadCommand.requireInside(segment, offset, 0);
      MemorySegment chunk = arena.allocate(SegmentReadCommand.CHUNK);
      ByteBuffer buffer = chunk.asByteBuffer();
      long at = offset;
      for (int n = input.read(buffer); n >= 0; n = input.read(buffer.clear())) {
        SegmentReadCommand.requireInside(segment, offset, at + n - offset);
        segment.write(at, chunk.asSlice(0, n));
        at += n;
      }
    }
    return Main.DONE;
  }

  /** The first user of a segment of type SN clears it, so stores do not outlive the last one. */
  private static void requireLasting(SegmentStore store, SavedSegment segment) throws IOException {
    long self = ProcessHandle.current().pid();
    if (segment.type() == SegmentType.SN
        && store.survey().segments().stream()
            .filter(each -> each.stored().name().equals(segment.name()))
            .map(SegmentState::users)
            .allMatch(users -> users.stream().allMatch(user -> user.pid() == self))) {
      throw new IOException(
          "segment %s: expected another process that has it loaded, as its type is SN, found none"
              .formatted(segment.name()));
    }
  }
}
