package dev.xip.linux;

import dev.xip.vfs.Node;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Locks on ranges of files, which bind those alone who ask. Those of flock(2) and of fcntl(2) do
 * not see each other, so each has an object of this class. Linux counterpart: fs/locks.c.
 *
 * <p>Lock held by the caller: the monitor of the {@link Kernel}.
 */
final class FileLocks {
  /**
   * A lock.
   *
   * @param owner whose it is
   * @param pid the process that fcntl tells as the owner, -1 for a file description
   * @param start the first byte
   * @param end the byte after the last, {@link Long#MAX_VALUE} for all that follow
   * @param exclusive whether no other may have one, else no other exclusive one
   */
  record Lock(Object owner, int pid, long start, long end, boolean exclusive) {
    private boolean overlaps(Lock other) {
      return start < other.end && other.start < end;
    }

    private Lock part(long from, long to) {
      return new Lock(owner, pid, from, to, exclusive);
    }
  }

  private final Map<Node, List<Lock>> locks = new IdentityHashMap<>();

  /** The first lock of another owner that keeps a lock from being taken; null if there is none. */
  Lock conflict(Node node, Lock wanted) {
    for (Lock each : locks.getOrDefault(node, List.of())) {
      if (each.owner != wanted.owner
          && each.overlaps(wanted)
          && (each.exclusive || wanted.exclusive)) {
        return each;
      }
    }
    return null;
  }

  /** Takes a lock, in place of those that the owner has there. Precondition: nothing conflicts. */
  void take(Node node, Lock wanted) {
    release(node, wanted);
    locks.computeIfAbsent(node, n -> new ArrayList<>()).add(wanted);
  }

  /** Releases what an owner has in the range of a lock. */
  void release(Node node, Lock range) {
    List<Lock> left = new ArrayList<>();
    for (Lock each : locks.getOrDefault(node, List.of())) {
      if (each.owner != range.owner || !each.overlaps(range)) {
        left.add(each);
        continue;
      }
      if (each.start < range.start) {
        left.add(each.part(each.start, range.start));
      }
      if (range.end < each.end) {
        left.add(each.part(range.end, each.end));
      }
    }
    if (left.isEmpty()) {
      locks.remove(node);
    } else {
      locks.put(node, left);
    }
  }

  /** Releases all locks that an owner has on a file; returns whether there was one. */
  boolean releaseAll(Node node, Object owner) {
    List<Lock> held = locks.get(node);
    boolean found = held != null && held.removeIf(each -> each.owner == owner);
    if (found && held.isEmpty()) {
      locks.remove(node);
    }
    return found;
  }
}
