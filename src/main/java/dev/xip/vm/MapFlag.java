package dev.xip.vm;

/**
 * The flags of mmap. Linux counterpart: MAP_* (include/uapi/asm-generic/mman.h).
 *
 * <p>Lock held by the caller: none needed.
 */
public enum MapFlag {
  /** Stores are visible in all mappings of the file; without it they are private. */
  SHARED,
  /** The file was opened for reading alone. */
  READ_ONLY_FILE,
  /** The address is mandatory; existing mappings there are removed. */
  FIXED,
  /** The address is mandatory; EEXIST if something is mapped there (since Linux 4.17). */
  FIXED_NOREPLACE,
  /** A stack: a fault below the mapping may make it longer. Private anonymous memory only. */
  GROWSDOWN,
  /** Pages do not count against the commit limit. */
  NORESERVE,
  /** Pages are faulted in and stay in memory. Pages that cannot be faulted in are skipped. */
  LOCKED,
  /** Pages are faulted in at once. Pages that cannot be faulted in are skipped. */
  POPULATE
}
