package dev.xip.image;

import dev.xip.base.ByteSink;
import dev.xip.base.Errno;
import dev.xip.base.LostPages;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileSystemException;

/**
 * Reads one file: copies its bytes straight from the image to the caller's memory. Reading does not
 * allocate, unless the bytes must be decoded first: then the extent that was decoded last is kept.
 * Safe for any number of threads.
 */
public final class FileContent {
  /** The source of the bytes of holes: to fill a slice of the destination would allocate. */
  static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[1 << 16]).asReadOnly();

  private final FsImage image;
  private final MemorySegment memory;
  private final long size;
  private final BlockMap blockMap;

  /** Where the bytes lie in the image, whatever memory they are read from. */
  private final BlockMap inImage;

  /** Null if a copy of the extents gives the file's bytes. */
  private final DecodedBytes decoded;

  private FileContent(
      FsImage image,
      MemorySegment memory,
      long size,
      BlockMap blockMap,
      BlockMap inImage,
      DecodedBytes decoded) {
    this.image = image;
    this.memory = memory;
    this.size = size;
    this.blockMap = blockMap;
    this.inImage = inImage;
    this.decoded = decoded;
  }

  /**
   * Opens a file's bytes.
   *
   * @param image the image
   * @param inode a regular file's inode
   * @return its bytes
   * @throws FileSystemException if it is not a regular file, or its bytes are stored in another
   *     form; the text gives the reason
   * @throws IOException if the image is damaged there
   */
  public static FileContent of(FsImage image, Inode inode) throws IOException {
    BlockMap blockMap = image.blockMap(inode);
    DecodedBytes decoded =
        blockMap.verdict().copyable() ? null : new DecodedBytes(image.decoder(inode));
    return new FileContent(image, image.memory(), inode.size(), blockMap, blockMap, decoded);
  }

  /**
   * Returns a reader of the same file in contiguous memory. Precondition: the file is not decoded.
   *
   * @param whole the file's bytes from first to last, mapped from the image
   * @return the file
   */
  public FileContent readFrom(MemorySegment whole) {
    BlockMap.Builder one = new BlockMap.Builder();
    if (size > 0) {
      one.add(0, 0, size);
    }
    return new FileContent(image, whole, size, one.build(blockMap.verdict()), inImage, null);
  }

  /** {@return the file's size in bytes} */
  public long size() {
    return size;
  }

  /** {@return where the bytes lie in the memory that is read; no extents if they are decoded} */
  public BlockMap blockMap() {
    return blockMap;
  }

  /**
   * Copies bytes of the file, one copy for each extent; holes read as zeros. Linux counterpart:
   * mm/filemap_xip.c:xip_file_read, which also returns 0 at and past the end.
   *
   * @param position the first byte to read, at least 0
   * @param destination where the bytes go; it is filled unless the file ends first
   * @return how many bytes were copied, 0 at or past the end of the file
   * @throws CorruptImageException if the image was truncated since it was mapped, or bytes that
   *     must be decoded are damaged
   * @throws IllegalArgumentException if the position is negative
   */
  public long read(long position, MemorySegment destination) throws CorruptImageException {
    requireAtLeastZero(position);
    long count = Math.min(size - position, destination.byteSize());
    if (count <= 0) {
      return 0;
    }
    if (decoded != null) {
      decoded.copy(position, destination, count);
    } else {
      copy(position, destination, count);
    }
    requireNotLost(position, position + count);
    return count;
  }

  /**
   * Copies bytes of the file to a sink, straight from the image; holes read as zeros.
   *
   * @param position the first byte to read, at least 0
   * @param length how many are wanted
   * @param sink where they go
   * @param at the address there of the first
   * @return how many were copied: fewer than wanted if the file ends or the sink takes no more
   * @throws CorruptImageException if the image was truncated since it was mapped, or bytes that
   *     must be decoded are damaged
   * @throws IOException if the sink takes none
   * @throws IllegalArgumentException if the position is negative
   */
  public long read(long position, long length, ByteSink sink, long at) throws IOException {
    requireAtLeastZero(position);
    long count = Math.min(size - position, length);
    long done = 0;
    try {
      while (done < count) {
        long here = position + done;
        MemorySegment source;
        long from;
        long run;
        if (decoded != null) {
          DecodedExtent extent = decoded.at(here);
          source = extent.source();
          from = extent.sourceOffset(here);
          run = extent.run(here);
        } else {
          int index = blockMap.indexAtOrAfter(here);
          boolean hole = here < blockMap.start(index);
          source = hole ? ZEROS : memory;
          from = hole ? 0 : here + blockMap.distance(index);
          run =
              hole
                  ? Math.min(blockMap.start(index) - here, ZEROS.byteSize())
                  : blockMap.end(index) - here;
        }
        run = Math.min(run, count - done);
        long taken = sink.take(source, from, at + done, run);
        done += taken;
        if (taken < run) {
          break;
        }
      }
    } catch (IOException e) {
      if (done == 0) {
        throw e;
      }
    }
    requireNotLost(position, position + done);
    return done;
  }

  private static void requireAtLeastZero(long position) {
    if (position < 0) {
      throw new IllegalArgumentException(Errno.EINVAL.message("position %d is negative", position));
    }
  }

  /** Throws if a truncation has taken a byte of a range, or any byte if they are decoded. */
  private void requireNotLost(long position, long end) throws CorruptImageException {
    if (position >= end || !LostPages.any()) {
      return;
    }
    if (decoded != null) {
      // An extent that is not compressed is copied from the image itself.
      MemoryFaults.check(image.name(), image.memory());
      return;
    }
    for (int i = blockMap.indexAtOrAfter(position);
        i < blockMap.extentCount() && blockMap.start(i) < end;
        i++) {
      long from = Math.max(position, blockMap.start(i));
      long length = Math.min(end, blockMap.end(i)) - from;
      MemorySegment read = memory.asSlice(from + blockMap.distance(i), length);
      LostPages.Range lost = LostPages.of(read);
      if (lost != null) {
        long at = from + Math.max(0, lost.lostFrom() - read.address());
        throw MemoryFaults.lost(
            image.name(), image.memory().byteSize(), lost, inImage.imageOffset(at));
      }
    }
  }

  private void copy(long position, MemorySegment destination, long count) {
    long end = position + count;
    int index = blockMap.indexAtOrAfter(position);
    long at = position;
    while (at < end) {
      long start = blockMap.start(index);
      long run;
      if (at < start) {
        run = Math.min(Math.min(start, end) - at, ZEROS.byteSize());
        MemorySegment.copy(ZEROS, 0, destination, at - position, run);
      } else {
        run = Math.min(blockMap.end(index), end) - at;
        long from = at + blockMap.distance(index++);
        MemorySegment.copy(memory, from, destination, at - position, run);
      }
      at += run;
    }
  }
}
