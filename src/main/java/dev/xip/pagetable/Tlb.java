package dev.xip.pagetable;

import dev.xip.base.Pages;

/**
 * The cached translations of one reader. Each entry holds a whole physically contiguous run.
 * Granules, aligned parts of the address space, index the table; each has two entries: one for the
 * run at its start, one for a run that starts later in it. A run is found only through the granules
 * that it was put under; one that spans several, such as a leaf of 2 MiB, takes an entry for each
 * granule used.
 *
 * <p>Each entry has the generation of the address space in which it was looked up; the caller
 * checks whether that is still current, and old entries are not removed. For one thread. The table
 * starts small and doubles, up to a bound, when current entries are overwritten too often; finding
 * does not allocate.
 */
public final class Tlb {
  /** The answer of {@link #find} if there is no entry. */
  public static final int NONE = -1;

  private static final int FEWEST = 64;

  /**
   * An entry's words: the first address, the number of addresses at which a whole long starts, the
   * distance, the generation.
   */
  private static final int WORDS = 4;

  private static final int LONGS = 1;
  private static final int DISTANCE = 2;
  private static final int GENERATION = 3;

  /** The words of both entries of a granule: a cache line. */
  private static final int PAIR = 2 * WORDS;

  private final long granuleBytes;
  private final int shift;
  private final int most;
  private long[] words = new long[FEWEST * WORDS];

  /** Current entries that were overwritten since the last doubling. */
  private int lost;

  /**
   * Makes an empty one.
   *
   * @param granuleBytes the size of a granule, a power of two, above a page
   * @param most how many entries there may be, a power of two from 64 on
   */
  public Tlb(long granuleBytes, int most) {
    if (granuleBytes <= Pages.SIZE
        || Long.bitCount(granuleBytes) != 1
        || most < FEWEST
        || Integer.bitCount(most) != 1) {
      throw new IllegalArgumentException(
          "granules of 0x%x, at most %d entries: expected powers of two above 0x%x and from %d on"
              .formatted(granuleBytes, most, Pages.SIZE, FEWEST));
    }
    this.granuleBytes = granuleBytes;
    this.shift = Long.numberOfTrailingZeros(granuleBytes) - Integer.numberOfTrailingZeros(PAIR);
    this.most = most;
  }

  private int pair(long va) {
    return (int) (va >>> shift) & words.length - PAIR;
  }

  private boolean holds(int entry, long va) {
    return Long.compareUnsigned(va - words[entry], words[entry + LONGS]) < 0;
  }

  /**
   * Finds the entry whose run holds eight bytes.
   *
   * @param va the virtual address of the first byte
   * @return the entry, valid until the next {@link #put}, of whatever generation; or {@link #NONE}
   */
  public int find(long va) {
    int entry = pair(va);
    if (holds(entry, va)) {
      return entry;
    }
    entry += WORDS;
    return holds(entry, va) ? entry : NONE;
  }

  /**
   * Returns where an entry's run starts.
   *
   * @param entry an entry that was found
   * @return its first virtual address
   */
  public long start(int entry) {
    return words[entry];
  }

  /**
   * Returns how long an entry's run is.
   *
   * @param entry an entry that was found
   * @return its length in bytes
   */
  public long length(int entry) {
    return words[entry + LONGS] + (Long.BYTES - 1);
  }

  /**
   * Returns the distance of an entry's run.
   *
   * @param entry an entry that was found
   * @return what to add to a virtual address, as it was put
   */
  public long distance(int entry) {
    return words[entry + DISTANCE];
  }

  /**
   * Returns the generation that an entry's run was looked up in.
   *
   * @param entry an entry that was found
   * @return the generation, as it was put
   */
  public long generation(int entry) {
    return words[entry + GENERATION];
  }

  /**
   * Adds a run, to be found by the addresses in it that share a granule with one of them.
   *
   * @param va a virtual address in the run
   * @param start the run's first virtual address
   * @param length its bytes, at least eight
   * @param distance what to add to a virtual address
   * @param generation the generation that it was looked up in
   */
  public void put(long va, long start, long length, long distance, long generation) {
    int second = start > (va & -granuleBytes) ? WORDS : 0;
    int entry = pair(va) + second;
    if (words[entry + GENERATION] == generation
        && words[entry + LONGS] != 0
        && ++lost * WORDS > words.length
        && words.length < most * WORDS) {
      words = new long[words.length * 2];
      lost = 0;
      entry = pair(va) + second;
    }
    words[entry] = start;
    words[entry + LONGS] = length - (Long.BYTES - 1);
    words[entry + DISTANCE] = distance;
    words[entry + GENERATION] = generation;
  }
}
