package dev.xip.process;

import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.GetUserPages;
import dev.xip.vm.MapException;
import dev.xip.vm.PinnedPages;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * Transfers between a process and the memory of a block device as a file opened with O_DIRECT does
 * it: the process's pages are pinned, and the device copies from or into their frames without
 * looking at an address again. So a page without a page frame cannot take part. For one thread.
 * Linux counterpart: {@code bio_iov_iter_get_pages} (block/bio.c) and a driver such as brd.
 */
public final class DirectIo {
  private final GetUserPages pages;
  private final MemorySegment device;

  /**
   * Prepares transfers.
   *
   * @param space the process's memory
   * @param device the device's bytes
   */
  public DirectIo(AddressSpace space, MemorySegment device) {
    this.pages = space.getUserPages();
    this.device = device;
  }

  /**
   * Writes to the device out of the process's memory. Linux counterpart: {@code write} with
   * O_DIRECT.
   *
   * @param va the first address
   * @param offset where on the device, in bytes
   * @param bytes how many
   * @return how many were written: fewer than asked for if a later page has no page frame
   * @throws MapException EFAULT if the first page cannot be read or has no page frame
   * @throws IndexOutOfBoundsException if the device has no such bytes
   * @throws IllegalArgumentException if they are more than 2^31 - 1 pages (EINVAL)
   */
  public long write(long va, long offset, long bytes) throws MapException {
    Objects.checkFromIndexSize(offset, bytes, device.byteSize());
    try (PinnedPages pinned = pin(va, bytes, false)) {
      return eachPart(
          pinned,
          va,
          bytes,
          (page, at, done, part) -> pinned.read(page, at, slice(offset + done, part)));
    }
  }

  /**
   * Reads from the device into the process's memory. Linux counterpart: {@code read} with O_DIRECT.
   *
   * @param va the first address
   * @param offset where on the device, in bytes
   * @param bytes how many
   * @return how many were read: fewer than asked for if a later page has no page frame
   * @throws MapException EFAULT if the first page cannot be stored into or has no page frame
   * @throws IndexOutOfBoundsException if the device has no such bytes
   * @throws IllegalArgumentException if they are more than 2^31 - 1 pages (EINVAL)
   */
  public long read(long va, long offset, long bytes) throws MapException {
    Objects.checkFromIndexSize(offset, bytes, device.byteSize());
    try (PinnedPages pinned = pin(va, bytes, true)) {
      return eachPart(
          pinned,
          va,
          bytes,
          (page, at, done, part) -> pinned.write(page, at, slice(offset + done, part)));
    }
  }

  private PinnedPages pin(long va, long bytes, boolean write) throws MapException {
    long count = Pages.covering((va & Pages.OFFSET_MASK) + bytes);
    if (count > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          Errno.EINVAL.message(
              "direct I/O at 0x%x: expected at most 2^31 - 1 pages, found %d", va, count));
    }
    return pages.pin(va, (int) count, write, false);
  }

  private MemorySegment slice(long offset, long bytes) {
    return device.asSlice(offset, bytes);
  }

  /** Copies one page's part. */
  private interface Copy {
    void part(int page, long inPage, long done, long bytes);
  }

  private static long eachPart(PinnedPages pinned, long va, long bytes, Copy copy) {
    long done = 0;
    for (int page = 0; page < pinned.count(); page++) {
      long inPage = va + done & Pages.OFFSET_MASK;
      long part = Math.min(Pages.SIZE - inPage, bytes - done);
      copy.part(page, inPage, done, part);
      done += part;
    }
    return done;
  }
}
