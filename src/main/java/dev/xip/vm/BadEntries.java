package dev.xip.vm;

import java.util.concurrent.atomic.AtomicLong;

/**
 * What the kernel prints as "Bad page map": entries that no rule of ours can have made. Reporting
 * one never stops the machine. Linux counterpart: {@code print_bad_pte} (mm/memory.c).
 */
public final class BadEntries {
  private final AtomicLong count = new AtomicLong();
  private volatile String last = "";

  BadEntries() {}

  void report(Vma vma, long va, long pte, String why) {
    count.incrementAndGet();
    last = "BUG: Bad page map: pte 0x%x at address 0x%x in %s: %s".formatted(pte, va, vma, why);
  }

  /**
   * Returns how many were met.
   *
   * @return the count since boot
   */
  public long count() {
    return count.get();
  }

  /**
   * Returns the last report.
   *
   * @return one line, empty if there was none
   */
  public String last() {
    return last;
  }
}
