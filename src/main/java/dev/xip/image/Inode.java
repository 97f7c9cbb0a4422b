package dev.xip.image;

import java.time.Instant;

/**
 * The decoded attributes of one file. Its {@link BlockMap} says where its bytes lie.
 *
 * @param number the inode number, unique in the image
 * @param offset the byte offset of the inode in the image, for errors
 * @param mode the 16-bit mode: type, set-id and sticky bits, permissions
 * @param uid the owner, 32 bits
 * @param gid the group, 32 bits
 * @param links how many names the file has
 * @param size the length in bytes
 * @param sectors how many 512-byte sectors are allocated to it
 * @param accessed the time of the last access
 * @param modified the time of the last change of its bytes
 * @param changed the time of the last change of its attributes
 * @param created the time when the file was made, null if the image does not hold it
 * @param deviceMajor the major number of a device node, else 0
 * @param deviceMinor the minor number of a device node, else 0
 * @param flags flags of the format, such as i_flags of ext2, 0 where it has none
 */
public record Inode(
    long number,
    long offset,
    int mode,
    long uid,
    long gid,
    long links,
    long size,
    long sectors,
    Instant accessed,
    Instant modified,
    Instant changed,
    Instant created,
    int deviceMajor,
    int deviceMinor,
    long flags) {

  /** {@return the kind of the file} */
  public FileType type() {
    return FileType.ofMode(mode);
  }

  /** {@return the mode without the type: the low twelve bits} */
  public int permissions() {
    return mode & 07777;
  }
}
