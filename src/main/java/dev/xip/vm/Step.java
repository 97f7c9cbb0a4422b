package dev.xip.vm;

/**
 * Places in the code at which tests stop a thread to have another one decide a race.
 *
 * <p>Lock held by the caller: any but an entry lock.
 */
enum Step {
  /** A file fault has translated its page, and has not yet inserted the entry. */
  TRANSLATED,
  /** A fault has seen that its page is a hole, and has not yet inserted the sparse page. */
  HOLE_SEEN,
  /** A store has copied its page, and has not yet mapped the copy. */
  COPIED,
  /** get_user_pages has faulted its page in, and has not yet looked at the entry. */
  FAULTED_IN;

  /** Called at each step. */
  @FunctionalInterface
  interface Hook {
    /** The default: does nothing. */
    Hook NONE = step -> {};

    void reached(Step step);
  }
}
