package dev.xip.segment;

import dev.xip.base.Errno;
import dev.xip.host.HeldLock;
import dev.xip.host.HostException;
import dev.xip.host.HostFile;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Finds the users of a data file by their locks. The kernel releases the locks of a process that
 * dies.
 */
final class DataUsers {
  /** The search ends at this many users: each F_OFD_GETLK takes time in proportion to the locks. */
  private static final int MOST = 16384;

  private DataUsers() {}

  /** A range of slots, half-open. */
  private record Range(long start, long end) {}

  /** The byte that a new user of this process locks. */
  static long newSlot(SharingMode mode) {
    return StoreFile.FIRST_SLOT
        + (mode == SharingMode.EXCLUSIVE ? StoreFile.EXCLUSIVE_SLOT : 0)
        + (ProcessHandle.current().pid() << StoreFile.PID_SHIFT)
        + ThreadLocalRandom.current().nextLong(1L << StoreFile.PID_SHIFT);
  }

  /**
   * Tells whether a data file may have users. One that cannot be opened, or is no regular file,
   * counts as used, so that it is not deleted.
   */
  static boolean any(StoreFolder folder, StoreFile data) throws IOException {
    try (HostFile file = folder.openRegular(data.fileName(), false)) {
      return file.conflictingLock(StoreFile.GATE_BYTE, 1).isPresent();
    } catch (SegmentException notRegular) {
      return true;
    } catch (HostException e) {
      return switch (e.errno()) {
        case ENOENT -> false;
        case EACCES, EPERM -> true;
        default -> throw e;
      };
    }
  }

  /**
   * Lists the users of the data file of a version, up to {@link #MOST}.
   *
   * @throws HostException if it is missing or cannot be opened
   * @throws SegmentException if it is no regular file or of an owner whom the store does not trust
   */
  static List<SegmentUser> of(StoreFolder folder, StoredSegment stored) throws IOException {
    List<SegmentUser> users = new ArrayList<>();
    StoreFile data = StoreFile.data(stored.name(), stored.version());
    try (HostFile file = folder.openTrusted(data.fileName(), false)) {
      collect(file, users);
    }
    users.sort(Comparator.comparingLong(SegmentUser::pid).thenComparing(SegmentUser::mode));
    return users;
  }

  /** F_OFD_GETLK reports one lock of a range; the bytes on either side are searched next. */
  private static void collect(HostFile file, List<SegmentUser> users) throws HostException {
    Deque<Range> left = new ArrayDeque<>();
    left.push(new Range(StoreFile.FIRST_SLOT, StoreFile.FIRST_SLOT + StoreFile.SLOTS));
    while (!left.isEmpty() && users.size() < MOST) {
      Range asked = left.pop();
      Optional<HeldLock> held = file.conflictingLock(asked.start, asked.end - asked.start);
      if (held.isEmpty()) {
        continue;
      }
      HeldLock lock = held.get();
      if (lock.length() == 1) {
        users.add(userOf(lock.offset()));
      }
      if (asked.start < lock.offset()) {
        left.push(new Range(asked.start, lock.offset()));
      }
      if (lock.length() != 0 && lock.offset() + lock.length() < asked.end) {
        left.push(new Range(lock.offset() + lock.length(), asked.end));
      }
    }
  }

  private static SegmentUser userOf(long slot) {
    long pid = (slot & StoreFile.EXCLUSIVE_SLOT - 1) >>> StoreFile.PID_SHIFT;
    boolean exclusive = (slot & StoreFile.EXCLUSIVE_SLOT) != 0;
    return new SegmentUser(pid, exclusive ? SharingMode.EXCLUSIVE : SharingMode.SHARED);
  }

  /**
   * The exception for a data file that cannot be opened: ENOENT would say that there is no segment.
   */
  static SegmentException unusable(StoredSegment stored, IOException e) {
    Errno told = SegmentException.of("", e).errno();
    Errno code = told == Errno.ENOENT ? Errno.EIO : told;
    return SegmentException.withCode(code, "segment %s: data file".formatted(stored.name()), e);
  }
}
