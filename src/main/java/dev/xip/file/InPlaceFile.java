package dev.xip.file;

import dev.xip.base.ByteSink;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.image.BlockMap;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FileContent;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.image.Verdict;
import dev.xip.mapping.DirectAccess;
import dev.xip.mapping.PageRun;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileSystemException;

/**
 * A regular file of an image on a directly accessible device, used in place. Immutable. Linux
 * counterpart: mm/filemap_xip.c and fs/ext2/xip.c.
 */
public final class InPlaceFile implements ReadableFile {
  private final String name;
  private final FileContent content;
  private final DirectAccess device;

  private InPlaceFile(String name, FileContent content, DirectAccess device) {
    this.name = name;
    this.content = content;
    this.device = device;
  }

  /**
   * Opens a file.
   *
   * @param name its name for messages, such as its path
   * @param image the image that holds it
   * @param inode its inode
   * @param device the device that the image lies on, its first byte the image's first
   * @return the file
   * @throws FileSystemException if its bytes cannot be used where they lie; the text says why
   * @throws IOException if the image is damaged there
   */
  public static InPlaceFile open(String name, FsImage image, Inode inode, DirectAccess device)
      throws IOException {
    Verdict verdict = image.blockMap(inode).verdict();
    if (verdict != Verdict.IN_PLACE) {
      throw new FileSystemException(name, null, "cannot be used in place: " + verdict.reason());
    }
    return new InPlaceFile(name, FileContent.of(image, inode), device);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public long size() {
    return content.size();
  }

  /** {@return where the bytes lie in the image} */
  public BlockMap blockMap() {
    return content.blockMap();
  }

  /** {@return the device that the file was opened with} */
  public DirectAccess device() {
    return device;
  }

  /**
   * Finds where a page lies. A run ends with its extent or hole, with the file, and where the
   * device stops being contiguous. A page past the end is a hole of one page; the caller compares
   * with {@link #size} and decides whether an access is a bus error. Linux counterpart:
   * fs/ext2/xip.c:ext2_get_xip_mem.
   *
   * @param pageOffset the page's number in the file, at least 0
   * @return the run that starts with it
   * @throws IOException if the device cannot reach it
   */
  @Override
  public PageRun translate(long pageOffset) throws IOException {
    if (pageOffset < 0) {
      throw new IllegalArgumentException(
          Errno.EINVAL.message("page offset %d is negative", pageOffset));
    }
    long pagesLeft = Pages.covering(size()) - pageOffset;
    if (pagesLeft <= 0) {
      return PageRun.HOLE;
    }
    long fileOffset = pageOffset << Pages.SHIFT;
    long pages = Math.min(blockMap().runLength(fileOffset) >>> Pages.SHIFT, pagesLeft);
    long imageOffset = blockMap().imageOffset(fileOffset);
    if (imageOffset < 0) {
      return new PageRun(-1, pages);
    }
    PageRun range = device.directAccess(imageOffset, pages << Pages.SHIFT);
    return new PageRun(range.pfn(), Math.min(range.pages(), pages));
  }

  /**
   * Copies bytes of the file straight from the image.
   *
   * @param position the first byte to read, at least 0
   * @param destination where the bytes go; it is filled unless the file ends first
   * @return how many bytes were copied, 0 at or past the end of the file
   * @throws CorruptImageException if the image was truncated since it was mapped
   * @throws IllegalArgumentException if the position is negative
   */
  @Override
  public long read(long position, MemorySegment destination) throws CorruptImageException {
    return content.read(position, destination);
  }

  /**
   * Copies bytes of the file straight from the image to a sink.
   *
   * @param position the first byte to read, at least 0
   * @param length how many are wanted
   * @param sink where they go
   * @param at the address there of the first
   * @return how many were copied, 0 at or past the end of the file
   * @throws IOException as {@link FileContent#read(long, long, ByteSink, long)} does
   */
  public long read(long position, long length, ByteSink sink, long at) throws IOException {
    return content.read(position, length, sink, at);
  }
}
