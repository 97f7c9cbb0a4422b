package dev.xip.host;

import dev.xip.base.Access;
import dev.xip.base.AtomicContext;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;

/**
 * Pieces of files side by side in memory that lives as long as an arena of the caller, whatever
 * becomes of the files and of other mappings of them. The JDK counts it as mapped memory: {@link
 * MemorySegment#load}, {@link MemorySegment#isLoaded} and {@link MemorySegment#force} work, and
 * {@link MemorySegment#asByteBuffer} makes a {@link java.nio.MappedByteBuffer}. What no piece
 * covers reads as zeros. {@link MappingBudget} counts each piece and each gap until the arena is
 * closed. If a file is truncated, the memory reads as zeros from the first lost page of a piece on,
 * and {@link dev.xip.base.LostPages} reports it.
 */
public final class ArenaView {
  private ArenaView() {}

  /** Fills a range. */
  private interface Filler {
    void fill(Reservation range) throws HostException;
  }

  /** A part of a view. */
  private record Span(long at, long end) {}

  /**
   * A piece of a file.
   *
   * @param at its offset in the view, in bytes, page aligned
   * @param file an open file; it may be closed when the view is made
   * @param fileOffset its first byte in the file, page aligned
   * @param length its length in bytes, whole pages
   */
  public record FilePiece(long at, HostFile file, long fileOffset, long length) {
    private Span span() {
      return new Span(at, at + length);
    }
  }

  /**
   * Maps pieces of existing mappings once more.
   *
   * @param bytes the size, whole pages or 0
   * @param pieces the pieces in the order in which they appear
   * @param arena the view's memory lives as long as it
   * @return read-only memory of that size
   * @throws IOException if the budget or the system has no mappings left (ENOMEM), or a source is
   *     not a shared mapping (EINVAL); address space may stay reserved until the arena is closed
   * @throws IllegalArgumentException if pieces overlap, pass the end or are not whole pages
   * @throws IllegalStateException if the arena is closed
   */
  public static MemorySegment again(long bytes, List<RewiredView.Piece> pieces, Arena arena)
      throws IOException {
    List<Span> spans =
        pieces.stream().map(p -> new Span(p.at(), p.at() + p.source().byteSize())).toList();
    return filled(
        bytes,
        Access.READ,
        spans,
        arena,
        range -> {
          if (!pieces.isEmpty()) {
            range.guard(Guard.originAt(pieces.getFirst().source().address()));
          }
          for (RewiredView.Piece piece : pieces) {
            range.mapAgain(piece.at(), piece.source());
          }
        });
  }

  /**
   * Maps one piece of a file that is mapped already once more, through the JDK alone: linking the
   * first system call takes longer than a JVM needs to start. An interrupt closes the channel.
   *
   * @param file the open file
   * @param fileOffset the first byte in the file, page aligned
   * @param source the same bytes in the mapping that there is
   * @param arena the view's memory lives as long as it
   * @return read-only memory of the size of the source
   * @throws java.nio.channels.ClosedChannelException if the channel is closed, or by an interrupt
   * @throws IOException if the budget or the system has no mapping left (ENOMEM)
   * @throws IllegalStateException if the arena is closed
   */
  public static MemorySegment again(
      FileChannel file, long fileOffset, MemorySegment source, Arena arena) throws IOException {
    Guard guard = new Guard(true);
    Runnable share = MappingBudget.take(1);
    MemorySegment memory = JdkMemory.map(file, fileOffset, source.byteSize(), arena, guard, share);
    guard.add(Guard.originAt(source.address()), memory, Access.READ);
    return memory;
  }

  /**
   * Maps pieces of files for reading, or privately: the first store to a page copies it, and no
   * store reaches a file or another mapping.
   *
   * @param bytes the size, whole pages or 0
   * @param pieces the pieces in the order in which they appear
   * @param access the rights: READ, or READ_WRITE for private memory
   * @param arena the view's memory lives as long as it
   * @return memory of that size
   * @throws IOException if the budget or the system has no mappings left (ENOMEM), or a piece is
   *     not inside its file (ENXIO); address space may stay reserved until the arena is closed
   * @throws IllegalArgumentException if pieces overlap, pass the end or are not whole pages
   * @throws IllegalStateException if the arena is closed
   */
  public static MemorySegment ofFiles(
      long bytes, List<FilePiece> pieces, Access access, Arena arena) throws IOException {
    Sharing sharing = access.write() ? Sharing.PRIVATE : Sharing.SHARED;
    return filled(
        bytes,
        access,
        pieces.stream().map(FilePiece::span).toList(),
        arena,
        range -> {
          for (FilePiece piece : pieces) {
            range.mapFile(piece.at, piece.length, piece.file, piece.fileOffset, access, sharing);
          }
        });
  }

  private static MemorySegment filled(
      long bytes, Access access, List<Span> spans, Arena arena, Filler filler) throws IOException {
    AtomicContext.mightSleep("mmap");
    if (bytes == 0 && spans.isEmpty()) {
      return JdkMemory.zeros(0, access, arena, new Guard(true), null);
    }
    List<Span> gaps = gaps(Args.wholePages(bytes, "size"), spans);
    long mappings = spans.size() + gaps.size();
    Runnable share = MappingBudget.take(mappings);
    Reservation range = Reservation.in(arena, bytes, access, share);
    for (Span gap : gaps) {
      range.mapAnonymous(gap.at, gap.end - gap.at, access);
    }
    filler.fill(range);
    return range.memory();
  }

  /** What lies around and between spans. */
  private static List<Span> gaps(long bytes, List<Span> spans) {
    List<Span> gaps = new ArrayList<>();
    long end = 0;
    for (Span span : spans) {
      if (span.at < end || span.end > bytes) {
        throw new IllegalArgumentException(
            "piece at 0x%x to 0x%x: expected it between 0x%x and 0x%x"
                .formatted(span.at, span.end, end, bytes));
      }
      if (span.at > end) {
        gaps.add(new Span(end, span.at));
      }
      end = span.end;
    }
    if (bytes > end) {
      gaps.add(new Span(end, bytes));
    }
    return gaps;
  }
}
