package dev.xip.image;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Set;

/**
 * What the replay of a journal changes in an image: pieces of equal length, each replaced by
 * another piece of the same image. No piece is both a place and a source, so they may be stored in
 * any order. Immutable; holds numbers only, never bytes.
 */
public final class Overlay {
  /** The overlay of an image that is read as it is. */
  public static final Overlay NONE = new Overlay(1, 0, new long[0], new long[0], 0);

  private static final Set<Verdict> IN_BLOCKS =
      Set.of(Verdict.IN_PLACE, Verdict.SMALL_BLOCKS, Verdict.UNALIGNED);

  private static final ValueLayout.OfInt BE_INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  /** A journal may not log a block that begins with its magic number, so it logs zeros there. */
  private static final long ESCAPED = Long.MIN_VALUE;

  private final int pieceBytes;
  private final int escapedWord;

  /** The places that are replaced, in bytes, ascending. */
  private final long[] places;

  /** Where the bytes of each place lie, in bytes, with {@link #ESCAPED} added to some. */
  private final long[] sources;

  private final int transactions;

  private Overlay(
      int pieceBytes, int escapedWord, long[] places, long[] sources, int transactions) {
    this.pieceBytes = pieceBytes;
    this.escapedWord = escapedWord;
    this.places = places;
    this.sources = sources;
    this.transactions = transactions;
  }

  /**
   * One piece.
   *
   * @param place where in the image it is to be seen, in bytes
   * @param source where in the image its bytes lie
   * @param escaped whether the source has zeros instead of its first four bytes
   */
  public record Piece(long place, long source, boolean escaped) {}

  /** {@return whether nothing is replaced} */
  public boolean isEmpty() {
    return places.length == 0;
  }

  /** {@return the number of pieces} */
  public int pieces() {
    return places.length;
  }

  /**
   * Returns one piece.
   *
   * @param index its number, from 0, in the order of places
   * @return the piece
   */
  public Piece piece(int index) {
    long source = sources[index];
    return new Piece(places[index], source & ~ESCAPED, source < 0);
  }

  /** {@return how many bytes of the image are replaced} */
  public long bytes() {
    return (long) places.length * pieceBytes;
  }

  /** {@return how many transactions of the journal led to this} */
  public int transactions() {
    return transactions;
  }

  /**
   * Tells whether a byte of a range is replaced.
   *
   * @param offset the first byte of the range in the image
   * @param length its length in bytes
   * @return true if at least one is
   */
  public boolean touches(long offset, long length) {
    int at = Arrays.binarySearch(places, offset);
    int next = at >= 0 ? at : -at - 1;
    return next < places.length && places[next] < offset + length
        || next > 0 && places[next - 1] + pieceBytes > offset;
  }

  /**
   * Judges a file whose bytes lie in blocks: it is not in place if one of them is replaced.
   *
   * @param map where the file's bytes lie
   * @return the map, with {@link Verdict#JOURNALED} if a byte of an extent is replaced
   */
  public BlockMap judged(BlockMap map) {
    if (isEmpty() || !IN_BLOCKS.contains(map.verdict())) {
      return map;
    }
    for (int i = 0; i < map.extentCount(); i++) {
      if (touches(map.start(i) + map.distance(i), map.end(i) - map.start(i))) {
        return map.with(Verdict.JOURNALED);
      }
    }
    return map;
  }

  /**
   * Stores the pieces into a copy of the image.
   *
   * @param image a writable copy, which becomes the image after the replay
   */
  public void storeInto(MemorySegment image) {
    for (int i = 0; i < places.length; i++) {
      MemorySegment.copy(image, sources[i] & ~ESCAPED, image, places[i], pieceBytes);
      if (sources[i] < 0) {
        image.set(BE_INT, places[i], escapedWord);
      }
    }
  }

  /** Collects pieces in the order of their places. Not thread safe. */
  public static final class Builder {
    private final int pieceBytes;
    private final int escapedWord;
    private final long[] places;
    private final long[] sources;
    private int count;

    /**
     * Makes an empty builder.
     *
     * @param most how many pieces there are at most
     * @param pieceBytes the length of each, in bytes, at least 4
     * @param escapedWord the first four bytes of an escaped piece, as a big-endian number
     */
    public Builder(int most, int pieceBytes, int escapedWord) {
      this.pieceBytes = pieceBytes;
      this.escapedWord = escapedWord;
      this.places = new long[most];
      this.sources = new long[most];
    }

    /**
     * Adds a piece.
     *
     * @param piece a piece behind the last one added; it and its source lie inside the image
     * @throws IllegalArgumentException if it overlaps the one before
     */
    public void add(Piece piece) {
      if (count > 0 && piece.place < places[count - 1] + pieceBytes) {
        throw new IllegalArgumentException(
            "piece at 0x%x overlaps the one before".formatted(piece.place));
      }
      places[count] = piece.place;
      sources[count++] = piece.source | (piece.escaped ? ESCAPED : 0);
    }

    /**
     * Makes the overlay.
     *
     * @param transactions how many transactions of the journal led to it
     * @return the overlay
     */
    public Overlay build(int transactions) {
      return new Overlay(
          pieceBytes,
          escapedWord,
          Arrays.copyOf(places, count),
          Arrays.copyOf(sources, count),
          transactions);
    }
  }
}
