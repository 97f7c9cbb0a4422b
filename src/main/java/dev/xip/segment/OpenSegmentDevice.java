package dev.xip.segment;

import dev.xip.base.Errno;
import dev.xip.base.LostPages;
import dev.xip.base.Pages;
import dev.xip.mapping.DirectAccess;
import dev.xip.mapping.PageRun;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One use of a segment device. While there is one, the device is neither removed nor reloaded in
 * another mode. Linux counterpart: dcssblk_open, dcssblk_submit_bio and dcssblk_release
 * (drivers/s390/block/dcssblk.c).
 */
public final class OpenSegmentDevice implements DirectAccess, AutoCloseable {
  /** The size of a sector in bytes. */
  public static final long SECTOR = 512;

  private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[(int) Pages.SIZE]);

  private final SegmentDevice device;
  private final AtomicBoolean closed = new AtomicBoolean();

  /** Made by the device, which has counted it. */
  OpenSegmentDevice(SegmentDevice device) {
    this.device = device;
  }

  /** {@return the device that is open} */
  public SegmentDevice device() {
    return device;
  }

  @Override
  public long byteSize() {
    return device.byteSize();
  }

  /**
   * {@inheritDoc}
   *
   * @throws SegmentException as {@link SegmentDevice#directAccess}; ENODEV also if this use has
   *     ended
   */
  @Override
  public PageRun directAccess(long offset, long length) throws SegmentException {
    requireOpen();
    return device.directAccess(offset, length);
  }

  /**
   * Copies bytes from the device, piece by piece.
   *
   * @param sector the first sector, a multiple of 8
   * @param pieces where the bytes go: native memory, each piece page aligned and whole pages
   * @throws SegmentException EIO if the request does not begin and end on a page, passes the end of
   *     the device (nothing is copied then), meets a piece that is not native, aligned and whole
   *     pages, or bytes whose data file was shortened (the pieces before it are copied); ENODEV if
   *     this use has ended or the device is removed
   */
  public void read(long sector, List<MemorySegment> pieces) throws SegmentException {
    transfer(false, sector, pieces);
  }

  /**
   * Stores bytes to the device, piece by piece: into the private copy if it is not shared.
   *
   * @param sector the first sector, a multiple of 8
   * @param pieces where the bytes come from, as for {@link #read}
   * @throws SegmentException as for {@link #read}; EIO also if the segments are SR, ER or SC and
   *     loaded shared
   */
  public void write(long sector, List<MemorySegment> pieces) throws SegmentException {
    transfer(true, sector, pieces);
  }

  private void transfer(boolean write, long sector, List<MemorySegment> pieces)
      throws SegmentException {
    requireOpen();
    checkRequest(write, sector, pieces);
    if (write && device.isReadOnly()) {
      String found = "%s loaded %s".formatted(device.type(), device.sharing());
      throw failed(true, sector, "segments that may be written", found);
    }
    MemorySegment memory = device.memory();
    long at = sector * SECTOR;
    for (int i = 0; i < pieces.size(); i++) {
      MemorySegment piece = pieces.get(i);
      long length = piece.byteSize();
      if (piece.maxByteAlignment() < Pages.SIZE || !Pages.isAligned(length)) {
        throw failed(
            write,
            sector,
            "piece %d to be native, page aligned and whole pages".formatted(i + 1),
            "0x%x bytes at address 0x%x".formatted(length, piece.address()));
      }
      MemorySegment there = memory.asSlice(at, length);
      if (!write) {
        piece.copyFrom(there);
      } else if (!device.physicalMemory().store(piece, 0, device.range().start() + at, length)) {
        throw failed(true, sector, "writable memory", "read-only memory");
      }
      if (LostPages.of(there) != null) {
        if (write) {
          undo(at, length);
        }
        throw failed(
            write,
            sector,
            "all its bytes",
            "a data file shortened while it was loaded, or a full disk");
      }
      at += length;
    }
  }

  /** Takes back a store that is in no file: a reader takes bytes other than zero for the file's. */
  private void undo(long at, long length) throws SegmentException {
    long start = device.range().start() + at;
    for (long done = 0; done < length; done += Pages.SIZE) {
      MemorySegment page = device.memory().asSlice(at + done, Pages.SIZE);
      if (LostPages.of(page) != null) {
        device.physicalMemory().store(ZEROS, 0, start + done, Pages.SIZE);
      }
    }
  }

  /** Overflow first, then bounds: a request past the end transfers nothing. */
  private void checkRequest(boolean write, long sector, List<MemorySegment> pieces)
      throws SegmentException {
    long capacity = byteSize();
    long start = sector < 0 || sector > capacity / SECTOR ? capacity + 1 : sector * SECTOR;
    long bytes = 0;
    for (MemorySegment piece : pieces) {
      long length = piece.byteSize();
      if (length > capacity - start - bytes) {
        throw failed(
            write,
            sector,
            "a request inside 0x%x sectors".formatted(capacity / SECTOR),
            "piece of 0x%x bytes after 0x%x".formatted(length, bytes));
      }
      bytes += length;
    }
    if (!Pages.isAligned(start) || !Pages.isAligned(bytes)) {
      throw failed(write, sector, "whole pages of 8 sectors", "0x%x bytes".formatted(bytes));
    }
  }

  private SegmentException failed(boolean write, long sector, String expected, String found) {
    return new SegmentException(Errno.EIO, subject(write, sector), expected, found);
  }

  private String subject(boolean write, long sector) {
    return "segment device %s: %s at sector 0x%x"
        .formatted(device.name(), write ? "write" : "read", sector);
  }

  private void requireOpen() throws SegmentException {
    if (closed.get()) {
      throw new SegmentException(
          Errno.ENODEV, "segment device %s: this use is closed".formatted(device.name()));
    }
  }

  /**
   * Ends the use; a second time does nothing. The last use to end does a save that is pending.
   *
   * @throws SegmentException what the pending save failed with; the use has ended all the same
   */
  @Override
  public void close() throws SegmentException {
    if (closed.compareAndSet(false, true)) {
      device.release();
    }
  }
}
