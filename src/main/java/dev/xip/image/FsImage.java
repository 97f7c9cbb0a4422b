package dev.xip.image;

import dev.xip.base.FileName;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileSystemException;
import java.util.SortedMap;

/**
 * A read-only file-system image. Implementations are immutable and safe for any number of threads.
 * The caller that mapped the image's memory unmaps it. Every method throws {@link
 * CorruptImageException} on damage and terminates on any image, whatever loops it holds.
 */
public interface FsImage {
  /** {@return the image file's name, as errors show it} */
  String name();

  /** {@return the decoded superblock} */
  FsInfo info();

  /** {@return the read-only memory of the whole image} */
  MemorySegment memory();

  /**
   * Returns the root directory.
   *
   * @return its inode
   * @throws IOException if the image is damaged there
   */
  Inode root() throws IOException;

  /**
   * Decodes an inode.
   *
   * @param number its number
   * @return the inode
   * @throws IOException if there is none of that number, it is not in use, or it is damaged
   */
  Inode inode(long number) throws IOException;

  /**
   * Passes the entries of a directory to a visitor.
   *
   * @param directory its inode
   * @param visitor receives each entry, {@code .} and {@code ..} included
   * @throws java.nio.file.NotDirectoryException if the inode is not a directory
   * @throws IOException if the directory is damaged, or what the visitor threw
   */
  void list(Inode directory, DirEntryVisitor visitor) throws IOException;

  /**
   * Finds one name in a directory.
   *
   * @param directory the directory's inode
   * @param name the name
   * @return the inode's number, or -1 if the name is not there
   * @throws java.nio.file.NotDirectoryException if the inode is not a directory
   * @throws IOException if the directory is damaged
   */
  long find(Inode directory, FileName name) throws IOException;

  /**
   * Reads the target of a symbolic link.
   *
   * @param link the link's inode
   * @return the target, as its bytes stand in the image
   * @throws java.nio.file.NotLinkException if the inode is not a symbolic link
   * @throws IOException if the link is damaged
   */
  FileName readLink(Inode link) throws IOException;

  /**
   * Reads the extended attributes of a file of any type. Names are whole, such as {@code
   * user.comment}; values have the form of getxattr(2) and setxattr(2), into which a POSIX ACL is
   * converted from the form in the image; a list without entries is none.
   *
   * @param file its inode
   * @return the values by name, sorted by name; the caller may change it
   * @throws IOException if the attributes are damaged or of a kind that is not read
   */
  SortedMap<FileName, byte[]> extendedAttributes(Inode file) throws IOException;

  /**
   * Returns where a file's bytes lie.
   *
   * @param file the inode of a regular file or directory
   * @return its block map
   * @throws IOException if the map is damaged
   */
  BlockMap blockMap(Inode file) throws IOException;

  /**
   * Opens the decoder of a file whose bytes no copy of extents gives, as its {@link
   * Verdict#copyable} says.
   *
   * @param file the inode of a regular file
   * @return its decoder, valid as long as this image
   * @throws FileSystemException if there is none for this form; the text gives the reason
   * @throws IOException if the image is damaged there
   */
  default ExtentDecoder decoder(Inode file) throws IOException {
    throw new FileSystemException(
        name(),
        null,
        "inode %d cannot be read: %s".formatted(file.number(), blockMap(file).verdict().reason()));
  }
}
