package dev.xip.linux;

import dev.xip.vm.AddressSpace;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * The tasks that wait at words of memory. Linux counterpart: kernel/futex/core.c.
 *
 * <p>Lock held by the caller: the monitor of the {@link Kernel}.
 */
final class Futexes {
  /**
   * A place to wait at. A word that processes share is known by its place in the page alone, so a
   * task may be woken for another one; it then looks at its word again, as it has to anyway.
   *
   * @param space the address space of a private word, null for one that is shared
   * @param at its address, or its place in the page
   */
  record Place(AddressSpace space, long at) {}

  /** A task that waits. */
  static final class Waiter {
    private Place place;
    private final int bits;
    private boolean woken;

    private Waiter(Place place, int bits) {
      this.place = place;
      this.bits = bits;
    }

    boolean isWoken() {
      return woken;
    }
  }

  private final List<Waiter> waiters = new ArrayList<>();

  /** Begins to wait. */
  Waiter add(Place place, int bits) {
    Waiter waiter = new Waiter(place, bits);
    waiters.add(waiter);
    return waiter;
  }

  /** Waits no longer. */
  void remove(Waiter waiter) {
    waiters.remove(waiter);
  }

  /** Wakes tasks, those first that wait longest; returns how many. */
  int wake(Place place, int most, int bits) {
    int count = 0;
    Iterator<Waiter> each = waiters.iterator();
    while (count < most && each.hasNext()) {
      Waiter waiter = each.next();
      if (waiter.place.equals(place) && (waiter.bits & bits) != 0) {
        waiter.woken = true;
        each.remove();
        count++;
      }
    }
    return count;
  }

  /** Lets tasks wait at another place; returns how many. */
  int move(Place from, Place to, int most) {
    int count = 0;
    for (Waiter waiter : waiters) {
      if (count < most && waiter.place.equals(from)) {
        waiter.place = to;
        count++;
      }
    }
    return count;
  }
}
