package dev.xip.vm;

/** How mmap is to map. Linux counterpart: MAP_* (include/uapi/asm-generic/mman.h). */
public enum MapFlag {
  /** Stores are seen by everybody who maps the same; without it they are private. */
  SHARED,
  /** The file was opened for reading alone. */
  READ_ONLY_FILE,
  /** The address is where to map, and what is mapped there goes. */
  FIXED,
  /** The address is where to map, if nothing is mapped there (since Linux 4.17). */
  FIXED_NOREPLACE,
  /** A stack: a fault below the mapping may make it longer. Private anonymous memory only. */
  GROWSDOWN,
  /** Pages do not count against the commit limit. */
  NORESERVE,
  /** Pages are faulted in and stay in memory. What cannot be faulted in is passed over. */
  LOCKED,
  /** Pages are faulted in at once. What cannot be faulted in is passed over. */
  POPULATE
}
