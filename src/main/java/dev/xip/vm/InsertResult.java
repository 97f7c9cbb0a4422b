package dev.xip.vm;

/** How an insertion ended; the names are the kernel's error codes. */
public enum InsertResult {
  /** The entry is in and counted, if it counts. */
  INSERTED,
  /** The address is not in the mapping. */
  EFAULT,
  /** The frame is free or anonymous, or there is no memory at that number. */
  EINVAL,
  /** There is no frame of RAM for a page table. */
  ENOMEM,
  /** Something is there already. */
  EBUSY
}
