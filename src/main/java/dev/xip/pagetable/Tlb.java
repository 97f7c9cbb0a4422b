package dev.xip.pagetable;

import dev.xip.base.Pages;

/**
 * Translations of one reader, each in the one entry that its address leads to. An entry holds a
 * whole physically contiguous run, and is found by any address in the run that shares its upper
 * bits with the one that it was put under. A leaf of 2 MiB or 1 GiB is a run like any other, and
 * takes an entry for each part of it that is used.
 *
 * <p>Each entry says in which generation of the address space it was looked up; whether it is still
 * true is for the caller to decide, and nothing is removed for being old. For one thread. It starts
 * small and doubles, up to a bound, while true entries have to make room for others; finding
 * allocates nothing.
 */
public final class Tlb {
  private static final int FEWEST = 64;

  /**
   * An entry's words: the first address, at how many a whole long starts, where they lie, the
   * generation.
   */
  private static final int WORDS = 4;

  private static final int LONGS = 1;
  private static final int DISTANCE = 2;
  private static final int GENERATION = 3;

  private final int shift;
  private final int most;
  private long[] words = new long[FEWEST * WORDS];

  /** True entries that were overwritten since the last doubling. */
  private int lost;

  /**
   * Makes an empty one.
   *
   * @param shift how many of the low bits of an address do not matter for where its entry is, at
   *     least {@link Pages#SHIFT}
   * @param most how many entries there may be, a power of two from 64 on
   */
  public Tlb(int shift, int most) {
    if (shift < Pages.SHIFT || most < FEWEST || Integer.bitCount(most) != 1) {
      throw new IllegalArgumentException(
          "shift %d, at most %d entries: expected a shift from %d on and a power of two from %d on"
              .formatted(shift, most, Pages.SHIFT, FEWEST));
    }
    this.shift = shift - Integer.numberOfTrailingZeros(WORDS);
    this.most = most;
  }

  /**
   * Returns the only entry that an address can be in.
   *
   * @param va a virtual address
   * @return the entry, good until the next {@link #put}
   */
  public int entry(long va) {
    return (int) (va >>> shift) & words.length - WORDS;
  }

  /**
   * Tells whether eight bytes lie in an entry's run.
   *
   * @param entry the entry
   * @param va the virtual address of the first byte
   * @return true if all eight do; whether the entry is still true is another question
   */
  public boolean holds(int entry, long va) {
    return Long.compareUnsigned(va - words[entry], words[entry + LONGS]) < 0;
  }

  /**
   * Returns where an entry's run starts.
   *
   * @param entry an entry that holds something
   * @return its first virtual address
   */
  public long start(int entry) {
    return words[entry];
  }

  /**
   * Returns how long an entry's run is.
   *
   * @param entry an entry that holds something
   * @return its length in bytes
   */
  public long length(int entry) {
    return words[entry + LONGS] + (Long.BYTES - 1);
  }

  /**
   * Returns where an entry's run lies.
   *
   * @param entry an entry that holds something
   * @return what to add to a virtual address, as it was put
   */
  public long distance(int entry) {
    return words[entry + DISTANCE];
  }

  /**
   * Returns the generation that an entry's run was looked up in.
   *
   * @param entry an entry that holds something
   * @return the generation, as it was put
   */
  public long generation(int entry) {
    return words[entry + GENERATION];
  }

  /**
   * Adds a run, to be found by an address in it.
   *
   * @param va a virtual address in the run
   * @param start the run's first virtual address
   * @param length its bytes, at least eight
   * @param distance what to add to a virtual address
   * @param generation the generation that it was looked up in
   */
  public void put(long va, long start, long length, long distance, long generation) {
    int entry = entry(va);
    if (words[entry + GENERATION] == generation
        && words[entry + LONGS] != 0
        && ++lost * WORDS > words.length
        && words.length < most * WORDS) {
      words = new long[words.length * 2];
      lost = 0;
      entry = entry(va);
    }
    words[entry] = start;
    words[entry + LONGS] = length - (Long.BYTES - 1);
    words[entry + DISTANCE] = distance;
    words[entry + GENERATION] = generation;
  }
}
