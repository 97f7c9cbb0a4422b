package dev.xip.vm;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * A difference between releases of Linux. A machine keeps a rule or does not, as its {@link Rules}
 * say. The releases named are those at which a rule comes, goes, and comes back; one without any is
 * kept by no release, and is ours.
 *
 * <p>Some rules are repairs: without one of them a machine has a bug of history.
 *
 * <p>Lock held by the caller: none needed.
 */
public enum Rule {
  /**
   * Fork copies the entries of every mixed mapping. Without it, fork leaves a mapping without
   * private copies for the child to fault in.
   */
  FORK_WALKS_MIXED_MAPS("3.7", "fork copies the entries of every mixed mapping"),

  /**
   * A page frame inserted by a driver makes its mapping mixed. Without it, the mapping is marked
   * INSERTPAGE, and fork copies its entries.
   */
  INSERTION_MAKES_MIXED("3.7", "a page frame inserted by a driver makes its mapping mixed"),

  /**
   * Mixed mappings never merge and are never marked as locked. Without it, they merge, and mlock
   * sets LOCKED.
   */
  MIXED_MAPS_ARE_SPECIAL("3.14", "mixed mappings never merge and are never marked as locked"),

  /** A mapping of device memory has DONTEXPAND and DONTDUMP; without it, it has RESERVED. */
  DEVICE_MAPS_NOT_DUMPED("3.7", "a mapping of device memory has DONTDUMP in place of RESERVED"),

  /**
   * A read fault maps the pages around it that are in the page cache; without it, its page alone.
   */
  CACHE_FAULT_AROUND("3.15", "a read fault maps the pages around it that are in the page cache"),

  /**
   * Fork flushes the parent only if it took a right from an entry. Without it, fork always flushes,
   * as every release does.
   */
  FORK_FLUSHES_FOR_CHANGES("", "fork flushes the parent only if it took a right from an entry"),

  /**
   * A load of anonymous memory shows the zero page, special and uncounted. Without it, it takes a
   * counted frame of its own (2.6.24 removed the zero page), and a special entry of the zero page
   * outside mixed mappings is a bad entry.
   */
  ZERO_PAGE("2.6.32", "a load of anonymous memory shows the zero page, special and uncounted"),

  /**
   * The first store to a private hole copies it at once. Without it, the page of zeros is inserted,
   * and a second fault copies it.
   */
  PRIVATE_HOLE_COPIED_AT_ONCE(
      "2.6.24 2.6.27 4.0", "the first store to a private hole copies it at once"),

  /**
   * The first store to a private page of a file takes one fault. Without it, a special entry is
   * inserted, and a second fault copies the page.
   */
  PRIVATE_STORE_COPIES_AT_ONCE(
      "2.6.24 2.6.26 4.0", "the first store to a private page of a file takes one fault"),

  /**
   * Two threads may fault on one page of a file in place. Without it, the thread that finds the
   * entry there stops with a BUG.
   */
  SECOND_INSERTER_TOLERATED(
      "2.6.24 2.6.26 3.3", "two threads may fault on one page of a file in place"),

  /**
   * A fault keeps truncation out until its entry is in. Without it, a fault can leave an entry for
   * a block that was freed meanwhile.
   */
  FAULT_HOLDS_FILE_LOCK("4.0", "a fault keeps truncation out until its entry is in"),

  /**
   * One entry maps 2 MiB or 1 GiB of a file (1 GiB since 4.11), where the architecture has special
   * leaves of that size and the special bit decides about page frames. Without it, every entry maps
   * a page.
   */
  HUGE_LEAVES("4.5", "one entry maps 2 MiB or 1 GiB of a file"),

  /**
   * A fault on a store to a shared page of a file in place makes the entry writable at once.
   * Without it, a second fault does.
   */
  SHARED_STORE_TAKES_ONE_FAULT("4.14", "a first store to a shared page in place takes one fault"),

  /**
   * A load of a hole shows the zero page, special and uncounted. Without it, holes show a page of
   * their own, which is counted as one of the file.
   */
  HOLES_SHOW_ZERO_PAGE("4.14", "a load of a hole shows the zero page, special and uncounted"),

  /**
   * An unmapping that spares private copies takes the page of a hole out. Without it, the page
   * stays, as it belongs to no file.
   */
  INVALIDATION_EMPTIES_HOLES(
      "4.0", "an unmapping that spares private copies takes the page of a hole out"),

  /** mlock answers ENOMEM for a page that it cannot fault in. Without it the answer is EFAULT. */
  MLOCK_ANSWERS_ENOMEM("2.6.27", "mlock answers ENOMEM for a page that it cannot fault in"),

  /**
   * mlock and MAP_POPULATE load from shared mappings. Without it, they store to each shared page
   * that may be written.
   */
  POPULATE_SPARES_SHARED("2.6.38", "mlock and MAP_POPULATE load from shared mappings"),

  /**
   * MAP_POPULATE goes on past entries without a page frame. Without it, it stops at the first one.
   */
  POPULATE_PASSES_SPECIAL("4.3", "MAP_POPULATE goes on past entries without a page frame"),

  /** mlock goes on past entries without a page frame. Without it, it fails at the first one. */
  MLOCK_PASSES_SPECIAL("4.3", "mlock goes on past entries without a page frame"),

  /**
   * get_user_pages_fast follows entries without a lock. Without it, every page takes the slow way.
   */
  FAST_GET_USER_PAGES("2.6.27", "get_user_pages_fast follows entries without a lock"),

  /**
   * get_user_pages forces a store only where it makes a private copy. Without it, it also puts a
   * private copy into a shared mapping that may not be written.
   */
  FORCED_STORE_NEEDS_PRIVATE(
      "3.15", "get_user_pages forces a store only where it makes a private copy"),

  /**
   * get_user_pages answers EEXIST for an entry without a page frame. Without it the answer is
   * EFAULT.
   */
  GET_USER_PAGES_ANSWERS_EEXIST(
      "5.18", "get_user_pages answers EEXIST for an entry without a page frame"),

  /** mmap knows MAP_FIXED_NOREPLACE. Without it, the address is a hint. */
  FIXED_NOREPLACE("4.17", "mmap knows MAP_FIXED_NOREPLACE"),

  /**
   * A mapping that grows in place merges with what follows. Without it, two mappings stay side by
   * side.
   */
  MREMAP_GROWTH_MERGES("6.1", "a mapping that grows in place merges with what follows"),

  /**
   * mremap checks the old range before it clears the target. Without it, the target is empty when
   * the call fails.
   */
  MREMAP_CHECKS_FIRST("6.17", "mremap checks the old range before it clears the target"),

  /** Huge leaves map page frame numbers too (6da8e9634bb7 and the patches around it). */
  HUGE_PFN_MAPS("6.12", "one entry maps 2 MiB or 1 GiB of a mapping with PFNMAP"),

  /** madvise makes guard regions of anonymous memory that could become writable. */
  GUARD_REGIONS("6.13", "madvise makes guard regions of anonymous memory"),

  /** The same of any mapping that may merge (f807123d578d). */
  GUARD_REGIONS_ANYWHERE("6.15", "madvise makes guard regions of files and read-only memory too"),

  /**
   * A flag of the mapping tells fork that it may hold guard regions; without it, the mapping gets
   * the history of private pages that makes fork copy its entries.
   */
  GUARD_FLAG("6.19", "fork knows guard regions by a flag of their mapping"),

  /** At most 60 bad entries are reported in a minute. Without it, each one is. */
  BAD_ENTRY_REPORTS_LIMITED("2.6.29", "at most 60 bad entries are reported in a minute"),

  /**
   * Unmapping drops the map count of a frame after the flush. Without it, before: another process
   * that shares the frame may store into it in place while a thread of this one still reads it.
   */
  MAP_COUNT_DROPS_AFTER_FLUSH("6.2", "unmapping drops a frame's map count after the flush"),

  /**
   * The page of a hole is inserted under a mutex and a sequence count. Without it, it can outlive
   * the hole.
   */
  SPARSE_PAGE_GUARDED(
      "2.6.27", "the page of a hole is inserted under a mutex and a sequence count", "538f8ea6c85"),

  /**
   * mprotect keeps the special bit. Without it, the page counts as ordinary memory afterwards. A
   * bug of s390, repaired after 2.6.26-rc9.
   */
  MPROTECT_KEEPS_SPECIAL("2.6.24", "mprotect keeps the special bit", "138c9021ca6"),

  /**
   * A store to a shared page without a page frame is made in place. Without it, it is made to a
   * private copy that the file never has. Repaired in 2.6.26-rc9.
   */
  SHARED_STORE_IN_PLACE(
      "2.6.24", "a store to a shared page without a page frame is made in place", "251b97f552b"),

  /**
   * get_user_pages refuses an entry without a page frame. Without it, it faults again for ever;
   * here a report ends the loop. Repaired in 2.6.26-rc7.
   */
  GET_USER_PAGES_ENDS(
      "2.6.24", "get_user_pages refuses an entry without a page frame", "89f5b7da2a6"),

  /**
   * A copy in a locked mapping allows for a page without a page frame. Without it, the kernel
   * follows a NULL pointer. A bug of 2.6.28, repaired in 2.6.29-rc4.
   */
  LOCKED_COPY_CHECKS_FRAME(
      "2.6.24 2.6.28 2.6.29",
      "a copy in a locked mapping allows for a page without a page frame",
      "ab92661d5d9");

  private final String repair;
  private final String sentence;

  /** The releases at which the rule comes, goes, comes back. */
  private final List<Release> turns;

  Rule(String turns, String sentence) {
    this(turns, sentence, null);
  }

  /**
   * Makes a rule.
   *
   * @param turns the releases at which it comes, goes, comes back, apart by spaces
   * @param repair the commit that brought it, if it repairs a bug
   */
  Rule(String turns, String sentence, String repair) {
    this.turns =
        Arrays.stream(turns.split(" ")).filter(s -> !s.isEmpty()).map(Release::of).toList();
    this.sentence = sentence;
    this.repair = repair;
  }

  /**
   * Finds a rule by its name.
   *
   * @param label such as {@code huge-leaves}
   * @return the rule
   * @throws IllegalArgumentException if there is none of that name; the message lists the names
   */
  public static Rule named(String label) {
    return Names.find("rule", label, values());
  }

  /** {@return the rules without which a machine has a bug of history, in order of declaration} */
  public static List<Rule> repairs() {
    return Arrays.stream(values()).filter(rule -> rule.repair != null).toList();
  }

  /**
   * Tells whether a release keeps the rule.
   *
   * @param release a mainline release, not a release candidate
   * @return true if it does
   */
  public boolean holdsIn(Release release) {
    return turns.stream().filter(turn -> turn.compareTo(release) <= 0).count() % 2 == 1;
  }

  /** {@return what holds with the rule, in one sentence} */
  public String sentence() {
    return sentence;
  }

  /** {@return the mainline commit that brought the rule, if it repairs a bug; else null} */
  public String repair() {
    return repair;
  }

  /** The rule's bit in a set. */
  long bit() {
    return 1L << ordinal();
  }

  /** {@return its name as people write it, such as {@code huge-leaves}} */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
