package dev.xip;

import dev.xip.base.FileName;
import dev.xip.file.WholeFile;
import dev.xip.image.BlockMap;
import dev.xip.image.CorruptImageException;
import dev.xip.image.Extent;
import dev.xip.image.FileContent;
import dev.xip.image.Inode;
import dev.xip.image.Verdict;
import dev.xip.mount.OpenImage;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileSystemException;
import java.util.List;
import java.util.SortedMap;
import java.util.stream.IntStream;

/** A file of an open image, valid until the image is closed. Safe for any number of threads. */
public final class XipFile {
  private final OpenImage image;
  private final String path;
  private final Inode inode;

  /** Null until it is memory; closed with the image; guarded by this object's monitor. */
  private WholeFile whole;

  XipFile(OpenImage image, String path, Inode inode) {
    this.image = image;
    this.path = path;
    this.inode = inode;
  }

  /** {@return its size, type, mode, owner and times} */
  public Inode inode() {
    return inode;
  }

  /**
   * Tells whether the bytes can be used where they lie.
   *
   * @return {@link Verdict#IN_PLACE}, or why not
   * @throws IOException if the image is damaged there
   */
  public Verdict verdict() throws IOException {
    return image.image().blockMap(inode).verdict();
  }

  /**
   * Returns where the bytes lie in the image.
   *
   * @return the extents in file order; what none of them covers is a hole and reads as zeros
   * @throws IOException if the image is damaged there
   */
  public List<Extent> extents() throws IOException {
    BlockMap map = image.image().blockMap(inode);
    return IntStream.range(0, map.extentCount()).mapToObj(map::extent).toList();
  }

  /**
   * Reads the extended attributes.
   *
   * @return the values by whole name, such as {@code user.comment}, in the form of getxattr(2)
   * @throws IOException if the image is damaged there
   */
  public SortedMap<FileName, byte[]> extendedAttributes() throws IOException {
    return image.image().extendedAttributes(inode);
  }

  /**
   * Returns the bytes as one piece of memory: a slice of the mapped image if they lie in one
   * extent, else a view that maps the extents side by side. There is no copy. Each call returns the
   * same memory.
   *
   * @return read-only memory of the file's size, valid until the image is closed
   * @throws FileSystemException if it is not a regular file, or the bytes do not lie in whole
   *     pages; {@link #verdict} says why
   * @throws IOException if the image is damaged there, or the process has no mappings left for so
   *     many extents (ENOMEM)
   */
  public synchronized MemorySegment memory() throws IOException {
    try {
      WholeFile opened = whole == null ? image.whole(inode) : whole;
      MemorySegment memory = opened.memory();
      whole = opened;
      return memory;
    } catch (FileSystemException e) {
      throw named(e);
    }
  }

  /**
   * Maps the bytes once more, for as long as the caller needs them.
   *
   * @param arena its end unmaps them
   * @return read-only memory of the file's size, valid until the arena is closed, even if the image
   *     is closed before
   * @throws CorruptImageException if the image was truncated since it was opened
   * @throws IOException as {@link #memory} does
   */
  public MemorySegment map(Arena arena) throws IOException {
    try {
      return image.map(inode, 0, inode.size(), arena);
    } catch (FileSystemException e) {
      throw named(e);
    }
  }

  /**
   * Copies bytes out of the file, which need not be in place.
   *
   * @param position the first byte to read, at least 0
   * @param destination where the bytes go; it is filled unless the file ends first
   * @return how many bytes were copied, 0 at or past the end of the file
   * @throws FileSystemException if it is not a regular file, or its bytes cannot be read; the text
   *     says why
   * @throws CorruptImageException if the image is damaged there, or was truncated since it was
   *     opened
   * @throws IOException if the bytes cannot be decoded
   */
  public long read(long position, MemorySegment destination) throws IOException {
    try {
      return FileContent.of(image.image(), inode).read(position, destination);
    } catch (FileSystemException e) {
      throw named(e);
    }
  }

  /** Puts the path into a refusal that knows the inode alone. */
  private FileSystemException named(FileSystemException refused) {
    if (refused.getClass() != FileSystemException.class) {
      return refused;
    }
    FileSystemException named = new FileSystemException(toString(), null, refused.getReason());
    named.initCause(refused);
    return named;
  }

  @Override
  public String toString() {
    return image.image().name() + ":" + path;
  }
}
