package dev.xip.vm;

/** Places where what another thread does decides a race; tests stop a thread there. */
enum Step {
  /** A file fault knows where its page lies, and has not inserted the entry. */
  TRANSLATED,
  /** A fault is sure that its page is a hole, and has not inserted the sparse page. */
  HOLE_SEEN,
  /** A store has copied its page, and has not put the copy in. */
  COPIED,
  /** get_user_pages has had its page faulted in, and has not looked at the entry. */
  FAULTED_IN;

  /** Stops a thread, or does not. */
  @FunctionalInterface
  interface Hook {
    /** What a machine has: nothing happens. */
    Hook NONE = step -> {};

    void reached(Step step);
  }
}
