package dev.xip.host;

import dev.xip.bindings.Libc;

/** Who sees stores to mapped memory, mmap(2). */
public enum Sharing {
  /** Everybody who maps the file, and the file itself. */
  SHARED(Libc.MAP_SHARED()),
  /** This process alone: the first store to a page copies it. */
  PRIVATE(Libc.MAP_PRIVATE());

  private final int flag;

  Sharing(int flag) {
    this.flag = flag;
  }

  int flag() {
    return flag;
  }
}
