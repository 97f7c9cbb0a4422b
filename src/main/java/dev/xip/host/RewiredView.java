package dev.xip.host;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Pieces of mapped files, contiguous in one range of addresses: the same pages mapped a second
 * time, without a copy. Each piece is a mapping, which {@link MappingBudget} counts. If a file is
 * truncated, the view reads as zeros from its first lost page to its end, and {@link
 * dev.xip.base.LostPages} reports it under the name of the first piece's file.
 */
public final class RewiredView implements AutoCloseable {
  private final Reservation range;
  private final MemorySegment memory;

  /** Given back by {@link #close}; guarded by this object's monitor. */
  private long mappings;

  private RewiredView(Reservation range, long mappings) {
    this.range = range;
    this.memory = range.memory().asReadOnly();
    this.mappings = mappings;
  }

  /**
   * One piece.
   *
   * @param at its offset in the view, in bytes, page aligned
   * @param source whole pages of one shared mapping of a file, which must stay mapped only until
   *     the view is made
   */
  public record Piece(long at, MemorySegment source) {
    private long end() {
      return at + source.byteSize();
    }
  }

  /**
   * Makes a view.
   *
   * @param bytes its size, above 0, whole pages
   * @param pieces the pieces in the order in which they appear; what none covers reads as zeros
   * @return the view, to be closed
   * @throws HostException if the budget or the system has no mappings left (ENOMEM), or a source is
   *     not a shared mapping (EINVAL)
   * @throws IllegalArgumentException if pieces overlap, pass the end or are not whole pages
   */
  public static RewiredView of(long bytes, List<Piece> pieces) throws HostException {
    long mappings = countMappings(Args.wholePages(bytes, "size"), pieces);
    MappingBudget.take(mappings);
    Reservation range = null;
    try {
      range = Reservation.readableZeros(bytes);
      if (!pieces.isEmpty()) {
        range.guard(Guard.originAt(pieces.getFirst().source.address()));
      }
      for (Piece piece : pieces) {
        range.mapAgain(piece.at, piece.source);
      }
      return new RewiredView(range, mappings);
    } catch (HostException | RuntimeException | Error e) {
      if (range != null) {
        range.close();
      }
      MappingBudget.giveBack(mappings);
      throw e;
    }
  }

  /** One for each piece, and one for each gap around them. */
  private static long countMappings(long bytes, List<Piece> pieces) {
    long count = pieces.size();
    long end = 0;
    for (Piece piece : pieces) {
      if (piece.at < end) {
        throw new IllegalArgumentException(
            "piece at 0x%x: expected it at 0x%x or later".formatted(piece.at, end));
      }
      count += piece.at > end ? 1 : 0;
      end = piece.end();
    }
    return count + (bytes > end ? 1 : 0);
  }

  /** {@return read-only memory of the view's size, until {@link #close}} */
  public MemorySegment memory() {
    return memory;
  }

  /**
   * Unmaps; a second time does nothing. Later access to the memory throws.
   *
   * @throws IllegalStateException if a native call is using the memory right now
   */
  @Override
  public synchronized void close() {
    range.close();
    MappingBudget.giveBack(mappings);
    mappings = 0;
  }
}
