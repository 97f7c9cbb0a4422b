package dev.xip.vfs;

import dev.xip.base.ByteSink;
import dev.xip.base.ByteSource;
import dev.xip.base.Errno;
import dev.xip.file.ReadableFile;
import java.io.IOException;

/** A regular file: bytes at positions. */
public abstract non-sealed class RegularFile extends Node {
  /** The position of {@link #write} for the end of the file. */
  public static final long END = dev.xip.file.CachedFile.END;

  /**
   * Makes a regular file.
   *
   * @param tree its tree
   * @param number its inode number
   * @param attributes its attributes
   * @param links how many names it has
   */
  protected RegularFile(Tree tree, long number, Attributes attributes, long links) {
    super(tree, number, attributes, links);
  }

  /**
   * Copies bytes of the file.
   *
   * @param position the first, at least 0
   * @param length how many are wanted, at least 1
   * @param sink where they go
   * @param at the address there of the first
   * @return how many, 0 at or past the end
   * @throws IOException if none can be read
   */
  public abstract long read(long position, long length, ByteSink sink, long at) throws IOException;

  /**
   * Prepares the file to be written, before it is opened so or truncated.
   *
   * @param whole whether its bytes are still wanted
   * @throws IOException EROFS if it cannot be written, ENOSPC if there is no room
   */
  public abstract void prepareToWrite(boolean whole) throws IOException;

  /**
   * Copies bytes into the file. Precondition: {@link #prepareToWrite} was called.
   *
   * @param position where the first goes, at least 0, or {@link #END}
   * @param length how many, at least 1
   * @param source where they come from
   * @param at the address there of the first
   * @return how many were written, at least 1
   * @throws IOException if none can be written: ENOSPC, EFBIG, EROFS or what the source threw
   */
  public abstract long write(long position, long length, ByteSource source, long at)
      throws IOException;

  /**
   * Changes the size.
   *
   * @param size the new size, at least 0
   * @throws IOException EFBIG, EROFS
   */
  public abstract void truncate(long size) throws IOException;

  /**
   * Makes a hole.
   *
   * @param position its first byte
   * @param length its length, at least 1
   * @throws IOException EOPNOTSUPP if the tree makes none
   */
  public void punchHole(long position, long length) throws IOException {
    throw new FileException(Errno.EOPNOTSUPP, "a hole in a file that can have none");
  }

  /**
   * Finds data or a hole.
   *
   * @param position where to begin, at least 0 and before the end
   * @param data whether data is wanted, else a hole
   * @return its first byte: the end of the file is a hole; -1 if there is no data
   * @throws IOException if the file cannot be read
   */
  public long seek(long position, boolean data) throws IOException {
    return data ? position : size();
  }

  /**
   * {@return what mmap maps and exec runs; null if it cannot be mapped}
   *
   * @throws IOException if it cannot be opened
   */
  public ReadableFile mappable() throws IOException {
    return null;
  }
}
