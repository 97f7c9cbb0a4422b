package dev.xip.file;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * A file that calls read and change while mappings show it. Linux counterpart: {@code struct
 * file_operations} and {@code struct inode_operations} (include/linux/fs.h).
 */
public interface ChangeableFile extends ReadableFile {
  /**
   * The largest size, in bytes: what ext2 allows a file in blocks of 4 KiB, some 2 TiB. Linux
   * counterpart: fs/ext2/super.c:ext2_max_size.
   */
  long MAX_SIZE = 0x1fe_ff7f_c000L;

  /**
   * Writes bytes, filling holes and extending the file as needed.
   *
   * @param position where the first byte goes, at least 0
   * @param source the bytes
   * @return how many bytes were written: all, or those before the space was used up
   * @throws IOException if the file is read-only (EROFS), there was no space for the first byte
   *     (ENOSPC on a device, ENOMEM in RAM), or the bytes would end past {@link #MAX_SIZE} (EFBIG);
   *     the file is as it was then
   * @throws IllegalArgumentException if the position is negative
   */
  long write(long position, MemorySegment source) throws IOException;

  /**
   * Changes the size. Pages past it are unmapped from every address space, private copies too, and
   * freed. The rest of the last page, or of the old last page if the file grows, is zeroed.
   *
   * @param newSize the size in bytes, at least 0
   * @throws IOException if the file is read-only (EROFS) or the size above {@link #MAX_SIZE}
   *     (EFBIG); the file is as it was then
   * @throws IllegalArgumentException if it is negative
   */
  void truncate(long newSize) throws IOException;

  /**
   * Makes pages a hole and unmaps them from every address space; private copies stay.
   *
   * @param firstPage the first page's number, at least 0
   * @param pages how many pages, at least 1; {@link Long#MAX_VALUE} for all that follow
   * @throws IOException if the file is read-only (EROFS)
   * @throws IllegalArgumentException if the range is empty or begins below 0 (EINVAL)
   */
  void punchHole(long firstPage, long pages) throws IOException;

  /**
   * Unmaps pages from every address space, so that the next access looks them up again; private
   * copies stay.
   *
   * @param firstPage the first page's number, at least 0
   * @param pages how many pages, at least 1; {@link Long#MAX_VALUE} for all that follow
   * @throws IllegalArgumentException if the range is empty or begins below 0 (EINVAL)
   */
  void invalidate(long firstPage, long pages);
}
