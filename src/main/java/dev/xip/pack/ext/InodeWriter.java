package dev.xip.pack.ext;

import dev.xip.image.Inode;
import dev.xip.image.ext.ExtLayout;
import java.nio.ByteBuffer;
import java.time.Instant;

/** Encodes the inode of a new file. The counterpart of the reader's InodeTable. */
final class InodeWriter {
  /** The first time that an inode can hold, 1901-12-13. */
  private static final Instant EARLIEST = Instant.ofEpochSecond(Integer.MIN_VALUE);

  /** The last time that an inode can hold, 2446-05-10. */
  private static final Instant LATEST =
      Instant.ofEpochSecond(Integer.MAX_VALUE + 3 * (1L << 32), 999_999_999);

  private final ByteBuffer to;
  private final int at;

  /**
   * Makes a writer of one inode.
   *
   * @param to zeros where the inode goes, little-endian
   * @param at where it begins
   */
  InodeWriter(ByteBuffer to, int at) {
    this.to = to;
    this.at = at;
  }

  /** Tells whether an inode can hold a time. */
  static boolean isHeld(Instant time) {
    return !time.isBefore(EARLIEST) && !time.isAfter(LATEST);
  }

  /**
   * Writes all fields but the numbers of the file's blocks.
   *
   * @param file the file
   * @param blocks how many blocks it takes
   * @param attributesBlock the block of its extended attributes, 0 if it has none
   */
  void write(NewFile file, long blocks, int attributesBlock) {
    Inode inode = file.inode();
    to.putShort(at + ExtLayout.I_MODE, (short) inode.mode());
    to.putShort(at + ExtLayout.I_UID, (short) inode.uid());
    to.putShort(at + ExtLayout.I_UID_HIGH, (short) (inode.uid() >>> 16));
    to.putShort(at + ExtLayout.I_GID, (short) inode.gid());
    to.putShort(at + ExtLayout.I_GID_HIGH, (short) (inode.gid() >>> 16));
    to.putShort(at + ExtLayout.I_LINKS_COUNT, (short) file.links());
    to.putInt(at + ExtLayout.I_BLOCKS, (int) (blocks * NewBlock.SECTORS));
    to.putInt(at + ExtLayout.I_FILE_ACL, attributesBlock);
    to.putShort(at + ExtLayout.I_EXTRA_ISIZE, (short) NewAttributes.EXTRA_SIZE);
    time(ExtLayout.I_ATIME, ExtLayout.I_ATIME_EXTRA, inode.accessed());
    time(ExtLayout.I_CTIME, ExtLayout.I_CTIME_EXTRA, inode.changed());
    time(ExtLayout.I_MTIME, ExtLayout.I_MTIME_EXTRA, inode.modified());
    time(ExtLayout.I_CRTIME, ExtLayout.I_CRTIME_EXTRA, inode.created());
    file.attributes().putInInode(to, at);
    switch (inode.type()) {
      case REGULAR -> size(inode.size());
      case DIRECTORY -> size(DirectoryWriter.blocks(file) << NewBlock.SHIFT);
      case SYMLINK -> link(file.target());
      case CHARACTER_DEVICE, BLOCK_DEVICE -> device(inode.deviceMajor(), inode.deviceMinor());
      case FIFO, SOCKET, UNKNOWN -> {}
    }
  }

  private void size(long bytes) {
    to.putInt(at + ExtLayout.I_SIZE, (int) bytes);
    to.putInt(at + ExtLayout.I_SIZE_HIGH, (int) (bytes >>> 32));
  }

  private void link(byte[] target) {
    size(target.length);
    if (target.length < ExtLayout.I_BLOCK_SIZE) {
      to.put(at + ExtLayout.I_BLOCK, target);
    }
  }

  /** Linux counterpart: include/linux/kdev_t.h: old_encode_dev and new_encode_dev. */
  private void device(int major, int minor) {
    if (major < 256 && minor < 256) {
      to.putInt(at + ExtLayout.I_BLOCK, major << 8 | minor);
    } else {
      int number = minor & 0xff | major << 8 | (minor & ~0xff) << 12;
      to.putInt(at + ExtLayout.I_BLOCK + ExtLayout.POINTER_SIZE, number);
    }
  }

  private void time(int seconds, int extra, Instant time) {
    Instant held = time.isBefore(EARLIEST) ? EARLIEST : time.isAfter(LATEST) ? LATEST : time;
    long second = held.getEpochSecond();
    to.putInt(at + seconds, (int) second);
    int epoch = (int) (second - (int) second >> 32) & ExtLayout.EPOCH_MASK;
    to.putInt(at + extra, epoch | held.getNano() << ExtLayout.EPOCH_BITS);
  }
}
