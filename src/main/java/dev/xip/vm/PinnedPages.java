package dev.xip.vm;

import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.base.Pfn;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * Page frames that are not freed until they are released, even if they are unmapped everywhere. As
 * in Linux 3.19 a pin is a mere reference: after a fork and a store, the frame may belong to the
 * other process. For one thread. Linux counterpart: the pages that {@code get_user_pages} returns,
 * with {@code kmap} and {@code put_page}.
 *
 * <p>Lock held by the caller: none needed.
 */
public final class PinnedPages implements AutoCloseable {
  private final MemoryManager manager;
  private final long[] pfns;
  private final boolean writable;

  /** How many are held: 0 after the release. */
  private int count;

  PinnedPages(MemoryManager manager, long[] pfns, int count, boolean writable) {
    this.manager = manager;
    this.pfns = pfns;
    this.count = count;
    this.writable = writable;
  }

  /** {@return the number of frames held, 0 after the release} */
  public int count() {
    return count;
  }

  /**
   * Names a frame.
   *
   * @param index which page, {@code 0 <= index < count()}
   * @return its number
   */
  public Pfn frame(int index) {
    return new Pfn(pfns[Objects.checkIndex(index, count)]);
  }

  /**
   * Copies bytes out of a frame.
   *
   * @param index which page
   * @param offset the first byte in the page
   * @param destination receives the bytes and is filled; it may not reach past the page
   * @throws IndexOutOfBoundsException if the page is not held or the bytes are not all in it
   */
  public void read(int index, long offset, MemorySegment destination) {
    long from = address(index, offset, destination.byteSize());
    MemorySegment.copy(manager.memory().window(), from, destination, 0, destination.byteSize());
  }

  /**
   * Copies bytes into a frame.
   *
   * @param index which page
   * @param offset the first byte in the page
   * @param source the bytes; they may not reach past the page
   * @throws IndexOutOfBoundsException if the page is not held or the bytes are not all in it
   * @throws IllegalStateException if the pages were not pinned for writing, or the frame is no RAM
   *     and nothing is mapped there any more that may be stored into (EFAULT)
   */
  public void write(int index, long offset, MemorySegment source) {
    if (!writable) {
      throw new IllegalStateException(Errno.EFAULT.message("pages pinned for reading alone"));
    }
    long to = address(index, offset, source.byteSize());
    if (!manager.memory().store(source, 0, to, source.byteSize())) {
      throw new IllegalStateException(
          Errno.EFAULT.message(
              "pinned %s: expected RAM, found no memory to store into", frame(index)));
    }
  }

  private long address(int index, long offset, long length) {
    Objects.checkFromIndexSize(offset, length, Pages.SIZE);
    return frame(index).address().value() + offset;
  }

  /** Releases the frames. The second call does nothing. */
  @Override
  public void close() {
    while (count > 0) {
      manager.memory().allocator().put(pfns[--count]);
    }
  }
}
