package dev.xip.phys;

import java.io.IOException;

/** EBUSY: a range of physical memory cannot be claimed, because something else holds part of it. */
public final class RegionBusyException extends IOException {
  private static final long serialVersionUID = 1L;

  RegionBusyException(Region wanted, Region holder) {
    super("EBUSY: %s: expected free memory, found %s".formatted(wanted, holder));
  }
}
