package dev.xip.vm;

import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.base.Pfn;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * Page frames that stay what they are until they are let go, even if every mapping of them goes. As
 * with Linux 3.19 a pin is a reference and no more: a fork and a store later, the frame may be the
 * other side's. For one thread. Linux counterpart: the pages that {@code get_user_pages} returns,
 * with {@code kmap} and {@code put_page}.
 */
public final class PinnedPages implements AutoCloseable {
  private final MemoryManager manager;
  private final long[] pfns;
  private final boolean writable;

  /** How many are held: 0 once they were let go. */
  private int count;

  PinnedPages(MemoryManager manager, long[] pfns, int count, boolean writable) {
    this.manager = manager;
    this.pfns = pfns;
    this.count = count;
    this.writable = writable;
  }

  /**
   * Counts the pages.
   *
   * @return how many frames are held, 0 once they were let go
   */
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
   * @param destination where they go; it is filled, so it ends with the page at the latest
   * @throws IndexOutOfBoundsException if the page is not held or the bytes are not all in it
   */
  public void read(int index, long offset, MemorySegment destination) {
    destination.copyFrom(bytes(index, offset, destination.byteSize()));
  }

  /**
   * Copies bytes into a frame.
   *
   * @param index which page
   * @param offset the first byte in the page
   * @param source the bytes; they end with the page at the latest
   * @throws IndexOutOfBoundsException if the page is not held or the bytes are not all in it
   * @throws IllegalStateException if the pages were not asked for to be stored into
   */
  public void write(int index, long offset, MemorySegment source) {
    if (!writable) {
      throw new IllegalStateException(Errno.EFAULT.message("pages pinned for reading alone"));
    }
    bytes(index, offset, source.byteSize()).copyFrom(source);
  }

  private MemorySegment bytes(int index, long offset, long length) {
    Objects.checkFromIndexSize(offset, length, Pages.SIZE);
    return manager.memory().ram().asSlice(frame(index).address().value() + offset, length);
  }

  /** Lets the frames go. Twice does nothing. */
  @Override
  public void close() {
    while (count > 0) {
      manager.memory().allocator().put(pfns[--count]);
    }
  }
}
