package dev.xip.cli;

import dev.xip.hold.HeldSegment;
import dev.xip.segment.SavedSegment;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code xip segment read}: prints bytes of a segment. */
@Command(
    name = "read",
    header = "Print bytes of a segment.",
    description = {
      "%nLoads the segment shared and writes its bytes to standard output. A private copy that"
          + " another process holds is not seen.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xip segment read WORK 0 | head -1",
      "  xip segment read WORK 0x1000 64 | od -A x -t x1z"
    })
final class SegmentReadCommand implements Callable<Integer> {
  /** The bytes that are moved at a time. */
  static final int CHUNK = 1 << 20;

  @Mixin private SegmentOptions.Segment target;

  @Parameters(
      index = "1",
      paramLabel = "OFFSET",
      converter = SegmentNumbers.Offset.class,
      description = "The first byte, counted from the start of the segment.")
  private long offset;

  @Parameters(
      index = "2",
      arity = "0..1",
      paramLabel = "LENGTH",
      converter = SegmentNumbers.Bytes.class,
      description = "How many bytes; default: up to the end of the segment.")
  private Long length;

  SegmentReadCommand() {}

  @Override
  public Integer call() throws IOException {
    Output out = new Output();
    try (HeldSegment held = HeldSegment.loadAlone(target.store(), target.name());
        Arena arena = Arena.ofConfined()) {
      SavedSegment segment = held.segment();
      long size = segment.range().length();
      long left = length == null ? size - offset : length;
      requireInside(segment, offset, left);
      MemorySegment chunk = arena.allocate(CHUNK);
      FileChannel to = out.channel();
      for (long at = offset; left > 0; ) {
        MemorySegment part = chunk.asSlice(0, Math.min(left, CHUNK));
        segment.read(at, part);
        write(part.asByteBuffer(), to, out);
        at += part.byteSize();
        left -= part.byteSize();
      }
    }
    return Main.DONE;
  }

  private static void write(ByteBuffer bytes, FileChannel to, Output out) throws IOException {
    try {
      while (bytes.hasRemaining()) {
        to.write(bytes);
      }
    } catch (IOException e) {
      throw out.named(e);
    }
  }

  /** Refuses bytes that are not all in the segment. */
  static void requireInside(SavedSegment segment, long offset, long length) throws IOException {
    long size = segment.range().length();
    if (offset >= size || length > size - offset) {
      throw new IOException(
          "segment %s: expected 0x%x bytes at 0x%x, found a segment of 0x%x bytes"
              .formatted(segment.name(), Math.max(length, 1), offset, size));
    }
  }
}
