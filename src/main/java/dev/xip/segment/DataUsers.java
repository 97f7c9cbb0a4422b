package dev.xip.segment;

import dev.xip.host.Errno;
import dev.xip.host.HeldLock;
import dev.xip.host.HostException;
import dev.xip.host.HostFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/** Who uses a data file, as its locks tell. The system ends the locks of a process that dies. */
final class DataUsers {
  private DataUsers() {}

  /** The byte that a new user of this process locks. */
  static long newSlot(SharingMode mode) {
    return StoreFile.FIRST_SLOT
        + (mode == SharingMode.EXCLUSIVE ? StoreFile.EXCLUSIVE_SLOT : 0)
        + (ProcessHandle.current().pid() << StoreFile.PID_SHIFT)
        + ThreadLocalRandom.current().nextLong(1L << StoreFile.PID_SHIFT);
  }

  /** Tells whether anybody uses a data file. One that cannot be opened counts as used. */
  static boolean any(Path data) throws HostException {
    try (HostFile file = HostFile.openReadOnly(data)) {
      return file.lockInTheWay(StoreFile.GATE_BYTE, 1).isPresent();
    } catch (HostException e) {
      return switch (e.errno()) {
        case ENOENT -> false;
        case EACCES, EPERM -> true;
        default -> throw e;
      };
    }
  }

  /**
   * Lists who uses a data file.
   *
   * @throws HostException if it is missing or cannot be opened
   */
  static List<SegmentUser> of(Path data) throws HostException {
    List<SegmentUser> users = new ArrayList<>();
    try (HostFile file = HostFile.openReadOnly(data)) {
      collect(file, StoreFile.FIRST_SLOT, StoreFile.FIRST_SLOT + StoreFile.SLOTS, users);
    }
    users.sort(Comparator.comparingLong(SegmentUser::pid).thenComparing(SegmentUser::mode));
    return users;
  }

  /** The system tells of one lock per question, so each splits what is left to ask about. */
  private static void collect(HostFile file, long start, long end, List<SegmentUser> users)
      throws HostException {
    long from = start;
    while (from < end) {
      Optional<HeldLock> held = file.lockInTheWay(from, end - from);
      if (held.isEmpty()) {
        return;
      }
      HeldLock lock = held.get();
      if (lock.length() == 1) {
        users.add(userOf(lock.offset()));
      }
      collect(file, from, lock.offset(), users);
      from = lock.length() == 0 ? end : lock.offset() + lock.length();
    }
  }

  private static SegmentUser userOf(long slot) {
    long pid = (slot & StoreFile.EXCLUSIVE_SLOT - 1) >>> StoreFile.PID_SHIFT;
    boolean exclusive = (slot & StoreFile.EXCLUSIVE_SLOT) != 0;
    return new SegmentUser(pid, exclusive ? SharingMode.EXCLUSIVE : SharingMode.SHARED);
  }

  /** The code for a data file that cannot be had: ENOENT would say that there is no segment. */
  static SegmentException unusable(StoredSegment stored, HostException e) {
    Errno code = e.errno() == Errno.ENOENT ? Errno.EIO : e.errno();
    return SegmentException.withCode(code, "segment %s: data file".formatted(stored.name()), e);
  }
}
