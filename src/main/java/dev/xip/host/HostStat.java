package dev.xip.host;

import dev.xip.bindings.Libc;
import dev.xip.bindings.statx;
import dev.xip.bindings.statx_timestamp;
import java.lang.foreign.MemorySegment;

/**
 * The attributes of a file, statx(2). Times are seconds since 1970 in UTC, negative before, and
 * nanoseconds within the second, 0..999999999.
 *
 * @param dev the device that holds the file, encoded as makedev(3) does
 * @param ino the inode number, unique within the device
 * @param size the length in bytes
 * @param mode type and permission bits, inode(7)
 * @param nlink the number of hard links, 0 for a file without a name
 * @param uid the owner
 * @param gid the group
 * @param blocks512 the storage used, in units of 512 bytes
 * @param rdev the device that a device node stands for, encoded as makedev(3) does, else 0
 * @param atimeSeconds last access, seconds
 * @param atimeNanos last access, nanoseconds
 * @param mtimeSeconds last change of the content, seconds
 * @param mtimeNanos last change of the content, nanoseconds
 * @param ctimeSeconds last change of content or attributes, seconds
 * @param ctimeNanos last change of content or attributes, nanoseconds
 */
public record HostStat(
    long dev,
    long ino,
    long size,
    int mode,
    int nlink,
    int uid,
    int gid,
    long blocks512,
    long rdev,
    long atimeSeconds,
    int atimeNanos,
    long mtimeSeconds,
    int mtimeNanos,
    long ctimeSeconds,
    int ctimeNanos) {
  /** S_IFBLK of inode(7). */
  private static final int BLOCK_DEVICE = 0060000;

  static HostStat read(MemorySegment struct) {
    MemorySegment atime = statx.stx_atime(struct);
    MemorySegment mtime = statx.stx_mtime(struct);
    MemorySegment ctime = statx.stx_ctime(struct);
    return new HostStat(
        device(statx.stx_dev_major(struct), statx.stx_dev_minor(struct)),
        statx.stx_ino(struct),
        statx.stx_size(struct),
        Short.toUnsignedInt(statx.stx_mode(struct)),
        statx.stx_nlink(struct),
        statx.stx_uid(struct),
        statx.stx_gid(struct),
        statx.stx_blocks(struct),
        device(statx.stx_rdev_major(struct), statx.stx_rdev_minor(struct)),
        statx_timestamp.tv_sec(atime),
        statx_timestamp.tv_nsec(atime),
        statx_timestamp.tv_sec(mtime),
        statx_timestamp.tv_nsec(mtime),
        statx_timestamp.tv_sec(ctime),
        statx_timestamp.tv_nsec(ctime));
  }

  /**
   * Makes a device number as glibc's makedev(3) does: the low bits of both numbers are in the low
   * word.
   *
   * @param major the major number, 32 bits
   * @param minor the minor number, 32 bits
   * @return the device number
   */
  public static long device(int major, int minor) {
    long high = (major & 0xfffff000L) << 32 | (minor & 0xffffff00L) << 12;
    return high | (major & 0xfffL) << 8 | (minor & 0xffL);
  }

  /** {@return whether it is a regular file} */
  public boolean isRegularFile() {
    return (mode & Libc.S_IFMT()) == Libc.S_IFREG();
  }

  /** {@return whether it is a block device, whose {@link #size} is 0} */
  public boolean isBlockDevice() {
    return (mode & Libc.S_IFMT()) == BLOCK_DEVICE;
  }

  /** {@return whether it is a directory} */
  public boolean isDirectory() {
    return (mode & Libc.S_IFMT()) == Libc.S_IFDIR();
  }

  /** {@return the type of the file for messages, such as "a symbolic link"} */
  public String kind() {
    int type = mode & Libc.S_IFMT();
    if (type == Libc.S_IFIFO()) {
      return "a pipe";
    } else if (type == Libc.S_IFLNK()) {
      return "a symbolic link";
    } else if (type == Libc.S_IFSOCK()) {
      return "a socket";
    } else if (isDirectory()) {
      return "a directory";
    }
    return isRegularFile() ? "a regular file" : "a device";
  }

  /** {@return whether it is a socket that has a name} */
  public boolean isSocket() {
    return (mode & Libc.S_IFMT()) == Libc.S_IFSOCK();
  }
}
