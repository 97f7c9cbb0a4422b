package dev.xip.mapping;

import dev.xip.base.Errno;
import dev.xip.base.HasErrno;
import java.io.IOException;

/** ENOMEM: RAM has no free frame, and the page cache none to give up. */
public final class NoFrameException extends IOException implements HasErrno {
  private static final long serialVersionUID = 1;

  /**
   * Makes the exception.
   *
   * @param file the name of the file whose page needs a frame
   * @param page the page's number in the file
   */
  public NoFrameException(String file, long page) {
    super(
        Errno.ENOMEM.message(
            "%s, page 0x%x: expected a free frame of RAM, found none", file, page));
  }

  @Override
  public Errno errno() {
    return Errno.ENOMEM;
  }
}
