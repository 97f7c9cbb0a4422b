package dev.xip.host;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Pieces of mapped files, contiguous in one range of addresses until it is closed: an {@link
 * ArenaView} with an arena of its own. If a file is truncated, the view reads as zeros from its
 * first lost page to its end, and {@link dev.xip.base.LostPages} reports it under the name of the
 * first piece's file.
 */
public final class RewiredView implements AutoCloseable {
  private final Arena arena;
  private final MemorySegment memory;

  private RewiredView(Arena arena, MemorySegment memory) {
    this.arena = arena;
    this.memory = memory;
  }

  /**
   * One piece.
   *
   * @param at its offset in the view, in bytes, page aligned
   * @param source whole pages of one shared mapping of a file, which must stay mapped only until
   *     the view is made
   */
  public record Piece(long at, MemorySegment source) {}

  /**
   * Makes a view.
   *
   * @param bytes its size, above 0, whole pages
   * @param pieces the pieces in the order in which they appear; what none covers reads as zeros
   * @return the view, to be closed
   * @throws IOException if the budget or the system has no mappings left (ENOMEM), or a source is
   *     not a shared mapping (EINVAL)
   * @throws IllegalArgumentException if pieces overlap, pass the end or are not whole pages
   */
  public static RewiredView of(long bytes, List<Piece> pieces) throws IOException {
    Arena arena = Arena.ofShared();
    try {
      return new RewiredView(arena, ArenaView.again(bytes, pieces, arena));
    } catch (IOException | RuntimeException | Error e) {
      arena.close();
      throw e;
    }
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
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
