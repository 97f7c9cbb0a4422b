package dev.xip.base;

/**
 * The order in which one thread may take the locks of the memory manager, checked as they are taken
 * if the system property {@code xip.check.locks} is true: on in the tests, off otherwise and then
 * without cost. Linux counterpart: lockdep, and the order at the head of mm/rmap.c.
 */
public final class LockOrder {
  /** The ranks, outermost first. */
  public enum Rank {
    /** The map lock of an address space; a parent's may be held while its child's is taken. */
    MAP(true),
    /** The mutex of the sparse page. */
    SPARSE_PAGE(false),
    /** The lock of a page in the page cache. */
    PAGE(false),
    /** The lock of a file's mappings. */
    FILE_MAPPINGS(false),
    /** The spin lock of a leaf table; several of one fork or move may be held. */
    ENTRY(true),
    /** A spin lock under which no other is taken: zone, bad entries, list of segments. */
    LEAF(false);

    private final boolean nests;

    Rank(boolean nests) {
      this.nests = nests;
    }
  }

  /** Whether the order is checked. */
  public static final boolean CHECKED = Boolean.getBoolean("xip.check.locks");

  private static final Rank[] RANKS = Rank.values();

  /** How many locks of each rank the thread holds. */
  private static final ThreadLocal<int[]> HELD =
      ThreadLocal.withInitial(() -> new int[RANKS.length]);

  private LockOrder() {}

  /**
   * Records that a lock is about to be taken, before the thread waits for it.
   *
   * @param rank its rank
   * @throws IllegalStateException if the thread holds a lock that must be taken later
   */
  public static void take(Rank rank) {
    if (CHECKED) {
      int[] held = HELD.get();
      for (int i = rank.nests ? rank.ordinal() + 1 : rank.ordinal(); i < held.length; i++) {
        if (held[i] > 0) {
          throw new IllegalStateException(
              "lock order: %s taken while %s is held".formatted(rank, RANKS[i]));
        }
      }
      held[rank.ordinal()]++;
    }
  }

  /**
   * Records that a lock was taken by a try, which waits for nothing and so needs no order.
   *
   * @param rank its rank
   */
  public static void tried(Rank rank) {
    if (CHECKED) {
      HELD.get()[rank.ordinal()]++;
    }
  }

  /**
   * Records that a lock was released.
   *
   * @param rank its rank
   */
  public static void release(Rank rank) {
    if (CHECKED) {
      HELD.get()[rank.ordinal()]--;
    }
  }
}
