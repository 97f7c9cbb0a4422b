package dev.xip.phys;

import dev.xip.base.AtomicContext;
import dev.xip.base.SpinLock;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The list of all memory, RAM too, newest first, with its lock. Linux counterpart: {@code mem_segs}
 * under {@code vmem_mutex} (arch/s390/mm/vmem.c of 2.6.24).
 */
final class MemSegs {
  /** A chunk on the list. */
  static final class Node {
    final MemoryChunk chunk;
    final long start;
    final long size;
    final boolean refcounted;
    Node next;

    Node(MemoryChunk chunk, Node next) {
      this.chunk = chunk;
      this.start = chunk.range().start();
      this.size = chunk.range().length();
      this.refcounted = chunk.refcounted();
      this.next = next;
    }
  }

  private final ReentrantLock mutex = new ReentrantLock();

  /** Null if the list is under the mutex. */
  private final SpinLock spinLock;

  private Node head;

  MemSegs(ListLock kind) {
    spinLock = kind == ListLock.SPIN_LOCK ? new SpinLock("mem_segs lock") : null;
  }

  void lock() {
    if (spinLock == null) {
      mutexLock();
    } else {
      spinLock.lock();
    }
  }

  /** As in the kernel, the check that the caller may sleep comes first, even if it is free. */
  private void mutexLock() {
    AtomicContext.mightSleep("vmem_mutex");
    mutex.lock();
  }

  void unlock() {
    if (spinLock == null) {
      mutex.unlock();
    } else {
      spinLock.unlock();
    }
  }

  /** The newest chunk, or null. The lock is held. */
  Node first() {
    return head;
  }

  /**
   * The chunk that a physical address lies in, or null. Walks the whole list if there is none. The
   * lock is held.
   */
  Node find(long address) {
    for (Node node = head; node != null; node = node.next) {
      if (node.start <= address && address <= node.start + node.size - 1) {
        return node;
      }
    }
    return null;
  }

  /** The number of chunks. Takes the lock. */
  int size() {
    lock();
    try {
      int size = 0;
      for (Node node = head; node != null; node = node.next) {
        size++;
      }
      return size;
    } finally {
      unlock();
    }
  }

  /** Takes the lock. */
  void add(MemoryChunk chunk) {
    lock();
    try {
      head = new Node(chunk, head);
    } finally {
      unlock();
    }
  }

  /** Takes the lock. */
  void remove(MemoryChunk chunk) {
    lock();
    try {
      Node before = null;
      for (Node node = head; node != null; node = node.next) {
        if (node.chunk.equals(chunk)) {
          if (before == null) {
            head = node.next;
          } else {
            before.next = node.next;
          }
          return;
        }
        before = node;
      }
    } finally {
      unlock();
    }
  }
}
