package dev.xip.phys;

import dev.xip.base.Pages;

/**
 * The linked list of loaded segments, newest first, as s390's driver keeps it. Precondition of
 * every call: the owner's lock is held. Linux counterpart: {@code dcss_list}
 * (arch/s390/mm/extmem.c).
 */
final class SegmentList {
  private static final class Node {
    private final Region segment;
    private final long first;
    private final long end;
    private Node next;

    Node(Region segment, Node next) {
      this.segment = segment;
      this.first = segment.range().start() >>> Pages.SHIFT;
      this.end = segment.range().end() >>> Pages.SHIFT;
      this.next = next;
    }
  }

  private Node head;

  void add(Region segment) {
    head = new Node(segment, head);
  }

  void remove(Region segment) {
    Node before = null;
    for (Node node = head; node != null; node = node.next) {
      if (node.segment.equals(segment)) {
        if (before == null) {
          head = node.next;
        } else {
          before.next = node.next;
        }
        return;
      }
      before = node;
    }
  }

  /** Whether a segment holds the frame number; walks the whole list if none does. */
  boolean holds(long pfn) {
    for (Node node = head; node != null; node = node.next) {
      if (pfn >= node.first && pfn < node.end) {
        return true;
      }
    }
    return false;
  }
}
