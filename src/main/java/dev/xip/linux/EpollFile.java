package dev.xip.linux;

import dev.xip.base.Errno;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A set of files that are waited for, epoll(7). Linux counterpart: fs/eventpoll.c.
 *
 * <p>Lock held by the caller: the monitor of the {@link Kernel}.
 */
final class EpollFile extends OpenFile {
  private static final int ONESHOT = 1 << 30;
  private static final int EDGE = 1 << 31;
  private static final int ALWAYS = POLLERR | POLLHUP;
  private static final int EVENTS = 0xffff;

  /** What is waited for, by descriptor and file: the number may name another file later. */
  private record Key(int fd, OpenFile file) {}

  private static final class Item {
    private int events;
    private long data;

    /** What was told and is so still, for EPOLLET. */
    private int told;
  }

  /**
   * What is ready.
   *
   * @param events POLL*
   * @param data what the program gave with the file
   */
  record Event(int events, long data) {}

  private final Map<Key, Item> items = new LinkedHashMap<>();

  EpollFile() {
    super(O_RDWR);
  }

  /** Whether a file can be waited for. */
  static boolean takes(OpenFile file) {
    return !(file instanceof OpenRegular || file instanceof OpenDirectory);
  }

  /** EPOLL_CTL_ADD. */
  Errno add(int fd, OpenFile file, int events, long data) {
    Item item = new Item();
    item.events = events;
    item.data = data;
    return items.putIfAbsent(new Key(fd, file), item) == null ? Errno.OK : Errno.EEXIST;
  }

  /** EPOLL_CTL_MOD. */
  Errno change(int fd, OpenFile file, int events, long data) {
    Item item = items.get(new Key(fd, file));
    if (item == null) {
      return Errno.ENOENT;
    }
    item.events = events;
    item.data = data;
    item.told = 0;
    return Errno.OK;
  }

  /** EPOLL_CTL_DEL. */
  Errno remove(int fd, OpenFile file) {
    return items.remove(new Key(fd, file)) == null ? Errno.ENOENT : Errno.OK;
  }

  /** Takes what is ready; those taken come last the next time. */
  List<Event> take(int most) {
    List<Event> events = new ArrayList<>();
    Map<Key, Item> taken = new LinkedHashMap<>();
    Iterator<Map.Entry<Key, Item>> each = items.entrySet().iterator();
    while (events.size() < most && each.hasNext()) {
      Map.Entry<Key, Item> entry = each.next();
      Item item = entry.getValue();
      if (!entry.getKey().file.isHeld()) {
        each.remove();
        continue;
      }
      int ready = ready(entry.getKey(), item);
      boolean edge = (item.events & EDGE) != 0;
      if (edge ? (ready & ~item.told) != 0 : ready != 0) {
        events.add(new Event(ready, item.data));
        if ((item.events & ONESHOT) != 0) {
          item.events = 0;
        }
        each.remove();
        taken.put(entry.getKey(), item);
      }
      item.told = ready;
    }
    items.putAll(taken);
    return events;
  }

  private static int ready(Key key, Item item) {
    int wanted = item.events & EVENTS;
    return wanted == 0 ? 0 : key.file.ready() & (wanted | ALWAYS);
  }

  @Override
  int ready() {
    return items.entrySet().stream()
            .anyMatch(e -> e.getKey().file.isHeld() && ready(e.getKey(), e.getValue()) != 0)
        ? POLLIN
        : 0;
  }

  /** Does not watch for what is ready and was told: with EPOLLET that would not wait. */
  @Override
  void watch(int events) {
    items.forEach((key, item) -> key.file.watch(item.events & ~item.told));
  }
}
