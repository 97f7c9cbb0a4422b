package dev.xip.linux;

import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.MapException;
import dev.xip.vm.MemoryFaultException;
import dev.xip.vm.SyncFlag;
import java.util.BitSet;
import java.util.EnumSet;
import java.util.Set;

/**
 * System calls about which pages are in memory: msync, mincore, mlock. Linux counterpart:
 * mm/msync.c, mm/mincore.c, mm/mlock.c.
 */
final class ResidencyCalls {
  private static final int MS_ASYNC = 1;
  private static final int MS_INVALIDATE = 2;
  private static final int MS_SYNC = 4;
  private static final int MLOCK_ONFAULT = 1;
  private static final int MCL_KNOWN = 7;
  private static final int MEMBARRIER_KNOWN = 0x1ff;

  /** The pages that mincore(2) answers for at once. */
  private static final long PART = 1 << 16;

  private final Task task;

  ResidencyCalls(Task task) {
    this.task = task;
  }

  private AddressSpace space() {
    return task.process().space();
  }

  /**
   * The pages of a range that begins at a page; throws EINVAL if it does not, ENOMEM if it wraps.
   */
  private static AddrRange range(String call, long address, long length) throws MapException {
    if (!Pages.isAligned(address)) {
      throw new MapException(Errno.EINVAL, call, "the first address of a page", "" + address);
    }
    if (address < 0 || length < 0 || address + length < 0) {
      throw new MapException(Errno.ENOMEM, call, "addresses of user mode", "" + address);
    }
    return AddrRange.ofLength(address, Pages.roundUp(length));
  }

  /** msync(2). */
  long sync(long address, long length, int flags) throws MapException {
    Set<SyncFlag> wanted = EnumSet.noneOf(SyncFlag.class);
    if ((flags & MS_ASYNC) != 0) {
      wanted.add(SyncFlag.ASYNC);
    }
    if ((flags & MS_INVALIDATE) != 0) {
      wanted.add(SyncFlag.INVALIDATE);
    }
    if ((flags & MS_SYNC) != 0) {
      wanted.add(SyncFlag.SYNC);
    }
    if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) != 0) {
      return -Errno.EINVAL.number();
    }
    AddrRange range = range("msync", address, length);
    if (range.length() > 0) {
      space().sync(range, wanted);
    }
    return 0;
  }

  /** mincore(2). */
  long inCore(long address, long length, long to) throws MapException, MemoryFaultException {
    AddrRange range = range("mincore", address, length);
    long done = 0;
    for (long at = range.start(); at < range.end(); ) {
      long end = Math.min(range.end(), at + (PART << Pages.SHIFT));
      BitSet pages = space().inCore(new AddrRange(at, end));
      byte[] bytes = new byte[(int) (end - at >>> Pages.SHIFT)];
      pages.stream().forEach(page -> bytes[page] = 1);
      task.memory().write(to + done, bytes, bytes.length);
      done += bytes.length;
      at = end;
    }
    return 0;
  }

  /** mlock(2) and mlock2(2). */
  long lock(long address, long length, int flags) throws MapException {
    if ((flags & ~MLOCK_ONFAULT) != 0) {
      return -Errno.EINVAL.number();
    }
    if (length != 0) {
      space().lock(touched("mlock", address, length));
    }
    return 0;
  }

  /** munlock(2). */
  long unlock(long address, long length) throws MapException {
    if (length != 0) {
      space().unlock(touched("munlock", address, length));
    }
    return 0;
  }

  private static AddrRange touched(String call, long address, long length) throws MapException {
    long start = Pages.roundDown(address);
    return range(call, start, length + (address - start));
  }

  /** mlockall(2): nothing is ever swapped out. */
  long lockAll(int flags) {
    return flags == 0 || (flags & ~MCL_KNOWN) != 0 ? -Errno.EINVAL.number() : 0;
  }

  /** membarrier(2): each address space has one thread. */
  long barrier(int command, int flags) {
    if (flags != 0 || (command & ~MEMBARRIER_KNOWN) != 0 || Integer.bitCount(command) > 1) {
      return -Errno.EINVAL.number();
    }
    return command == 0 ? MEMBARRIER_KNOWN : 0;
  }
}
