package dev.xip.linux;

import java.util.List;

/**
 * What a program took, with all processes that it started, and what was not as it must be.
 *
 * @param exits why processors have left user mode
 * @param faults how page faults were answered
 * @param entries the entries of each address space when it was given back
 * @param most the most frames that were in use after any exit
 * @param left the frames in use after the end
 * @param copies pages copied on write, also by the kernel
 * @param flushes flushes that processors paid for changed entries
 * @param tableStores stores into shadowed tables that they paid
 * @param userNanos the time in user mode, switches to it and back included, of all processes
 * @param nanos the time from the start of the first process to the end of the last
 * @param wrong what was wrong, a line for each with the address or the count; empty if all is well
 */
public record RunAccount(
    Exits exits,
    Faults faults,
    Entries entries,
    Frames most,
    Frames left,
    long copies,
    long flushes,
    long tableStores,
    long userNanos,
    long nanos,
    List<String> wrong) {
  /** Takes a copy of the list. */
  public RunAccount {
    wrong = List.copyOf(wrong);
  }

  /**
   * The exits of processors by kind.
   *
   * @param systemCalls system calls
   * @param pageFaults page faults
   * @param exceptions other exceptions
   * @param strayAccesses accesses to physical memory that is not there or is read-only
   * @param interrupts exits for a signal
   */
  public record Exits(
      long systemCalls, long pageFaults, long exceptions, long strayAccesses, long interrupts) {}

  /**
   * Page faults by answer.
   *
   * @param mapped an entry was made, with others around it
   * @param present the entry was there already
   * @param reused the entry was made writable
   * @param copied the page was copied
   * @param refused the process got a signal
   */
  public record Faults(long mapped, long present, long reused, long copied, long refused) {}

  /**
   * Pages by their entries, summed over the address spaces. A huge leaf counts as the pages that it
   * maps.
   *
   * @param special pages of the image, without a page frame
   * @param specialText those of them in mappings that are executable and not writable
   * @param cached pages of the image that the page cache holds in a frame
   * @param textFrames how many frames hold text: different ones behind such mappings of the image's
   *     files
   */
  public record Entries(long special, long specialText, long cached, long textFrames) {}

  /**
   * Frames by use.
   *
   * @param anonymous memory and private copies
   * @param cached pages in a page cache and of files in RAM
   * @param tables page tables
   */
  public record Frames(long anonymous, long cached, long tables) {
    /** {@return their sum} */
    public long all() {
      return anonymous + cached + tables;
    }
  }
}
