package dev.xip.host;

import dev.xip.bindings.Libc;

/** Advice about the use of a range of memory, madvise(2). */
public enum Advice {
  /** Nothing special: undoes {@link #RANDOM} and {@link #SEQUENTIAL}. */
  NORMAL(Libc.MADV_NORMAL()),
  /** Reads are in random order: no read-ahead. */
  RANDOM(Libc.MADV_RANDOM()),
  /** Reads are in ascending order: much read-ahead. */
  SEQUENTIAL(Libc.MADV_SEQUENTIAL()),
  /** It will be read soon: start reading the file now. */
  WILLNEED(Libc.MADV_WILLNEED()),
  /** Drop the pages: a file is read again, private anonymous memory becomes zero. */
  DONTNEED(Libc.MADV_DONTNEED()),
  /** Free the pages and the blocks under them: a hole in a shared writable file. */
  REMOVE(Libc.MADV_REMOVE()),
  /** Use huge pages where possible. */
  HUGEPAGE(Libc.MADV_HUGEPAGE()),
  /** Use no huge pages. */
  NOHUGEPAGE(Libc.MADV_NOHUGEPAGE()),
  /** Leave it out of core dumps. */
  DONTDUMP(Libc.MADV_DONTDUMP()),
  /** A child made by fork does not get it. */
  DONTFORK(Libc.MADV_DONTFORK()),
  /** Among the first to be reclaimed. */
  COLD(Libc.MADV_COLD()),
  /** Reclaim it now. */
  PAGEOUT(Libc.MADV_PAGEOUT()),
  /** Fault all pages in for reading; a failure is an error, not a signal. Since Linux 5.14. */
  POPULATE_READ(Libc.MADV_POPULATE_READ()),
  /** Fault all pages in for writing; a failure is an error, not a signal. Since Linux 5.14. */
  POPULATE_WRITE(Libc.MADV_POPULATE_WRITE());

  private final int number;

  Advice(int number) {
    this.number = number;
  }

  int number() {
    return number;
  }
}
