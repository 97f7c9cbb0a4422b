package dev.xip.phys;

import dev.xip.base.Errno;
import dev.xip.base.HasErrno;
import java.io.IOException;

/** EBUSY: a range of physical memory cannot be claimed, because something else holds part of it. */
public final class RegionBusyException extends IOException implements HasErrno {
  private static final long serialVersionUID = 1L;

  RegionBusyException(Region wanted, Region holder) {
    super(Errno.EBUSY.message("%s: expected free memory, found %s", wanted, holder));
  }

  @Override
  public Errno errno() {
    return Errno.EBUSY;
  }
}
