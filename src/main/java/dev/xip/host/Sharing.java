package dev.xip.host;

import dev.xip.bindings.Libc;

/** Whether stores to mapped memory reach the file, mmap(2). */
public enum Sharing {
  /** They reach the file and its other mappings. */
  SHARED(Libc.MAP_SHARED()),
  /**
   * They stay in this process: the first store to a page copies it. No memory is set aside for
   * copies before, so a file may be larger than memory.
   */
  PRIVATE(Libc.MAP_PRIVATE() | Libc.MAP_NORESERVE());

  private final int flag;

  Sharing(int flag) {
    this.flag = flag;
  }

  int flag() {
    return flag;
  }
}
