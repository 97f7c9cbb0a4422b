package dev.xip.cpu;

import dev.xip.base.SpinLock;
import java.util.Arrays;

/**
 * The tables that were changed and that a hypervisor may shadow: a processor must store into each
 * before it runs user mode again. A set; for any thread.
 */
final class TableDebt {
  private final SpinLock lock = new SpinLock("table debt");

  /** Guarded by the lock, as are the others. */
  private long[] tables = new long[64];

  private int count;

  /** Frames that are in the set, by number. */
  private long[] present = new long[64];

  /** Notes the frame of a table. */
  void add(long pfn) {
    int word = Math.toIntExact(pfn >>> 6);
    long bit = 1L << (pfn & 63);
    lock.lock();
    try {
      if (word >= present.length) {
        present = Arrays.copyOf(present, Math.max(word + 1, 2 * present.length));
      }
      if ((present[word] & bit) != 0) {
        return;
      }
      present[word] |= bit;
      if (count == tables.length) {
        tables = Arrays.copyOf(tables, 2 * count);
      }
      tables[count++] = pfn;
    } finally {
      lock.unlock();
    }
  }

  /** Takes all frames out; null if there are none. */
  long[] take() {
    lock.lock();
    try {
      if (count == 0) {
        return null;
      }
      long[] taken = Arrays.copyOf(tables, count);
      for (long pfn : taken) {
        present[(int) (pfn >>> 6)] = 0;
      }
      count = 0;
      return taken;
    } finally {
      lock.unlock();
    }
  }
}
