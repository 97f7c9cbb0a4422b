package dev.xip.pack;

import dev.xip.image.FileType;
import dev.xip.image.Inode;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;

/** The attributes of the files of a tar archive, with the owners that the options ask for. */
final class TarInodes {
  private static final int FOLDER_MODE = 0755;
  private static final long MOST_ID = 0xffff_fffeL;

  /** The highest numbers of a device (include/linux/kdev_t.h, MINORBITS). */
  private static final int MOST_MAJOR = 0xfff;

  private static final int MOST_MINOR = 0xfffff;

  private final PackOptions options;

  TarInodes(PackOptions options) {
    this.options = options;
  }

  /** Returns the attributes of a folder that has no entry. */
  Inode folder() {
    return inode(0040000 | FOLDER_MODE, 0, 0, 0, Instant.EPOCH, Instant.EPOCH, 0, 0);
  }

  /**
   * Returns the attributes of an entry.
   *
   * @param entry the entry
   * @param size its size if it is a regular file
   * @throws PackTree.RefusedException if an image cannot hold them
   */
  Inode of(TarArchiveEntry entry, long size) throws PackTree.RefusedException {
    long uid = entry.getLongUserId();
    long gid = entry.getLongGroupId();
    if (uid < 0 || gid < 0 || uid > MOST_ID || gid > MOST_ID) {
      throw new PackTree.RefusedException("has the owner %d and the group %d".formatted(uid, gid));
    }
    int major = entry.getDevMajor();
    int minor = entry.getDevMinor();
    if (isDevice(type(entry))
        && (major < 0 || major > MOST_MAJOR || minor < 0 || minor > MOST_MINOR)) {
      throw new PackTree.RefusedException("has the device number %d:%d".formatted(major, minor));
    }
    Instant modified = entry.getLastModifiedTime().toInstant();
    FileTime accessed = entry.getLastAccessTime();
    boolean regular = type(entry) == 0100000;
    return inode(
        type(entry) | entry.getMode() & 07777,
        uid,
        gid,
        regular ? size : 0,
        accessed == null ? modified : accessed.toInstant(),
        modified,
        major,
        minor);
  }

  private static boolean isDevice(int mode) {
    FileType type = FileType.ofMode(mode);
    return type == FileType.CHARACTER_DEVICE || type == FileType.BLOCK_DEVICE;
  }

  private Inode inode(
      int mode,
      long uid,
      long gid,
      long bytes,
      Instant accessed,
      Instant modified,
      int major,
      int minor) {
    return new Inode(
        0,
        0,
        mode,
        options.uid() == PackOptions.KEPT ? uid : options.uid(),
        options.gid() == PackOptions.KEPT ? gid : options.gid(),
        0,
        bytes,
        0,
        accessed,
        modified,
        modified,
        modified,
        isDevice(mode) ? major : 0,
        isDevice(mode) ? minor : 0,
        0);
  }

  /** The bits of a mode that tell the type, inode(7). */
  private static int type(TarArchiveEntry entry) {
    if (entry.isDirectory()) {
      return 0040000;
    } else if (entry.isSymbolicLink()) {
      return 0120000;
    } else if (entry.isCharacterDevice()) {
      return 0020000;
    } else if (entry.isBlockDevice()) {
      return 0060000;
    }
    return entry.isFIFO() ? 0010000 : 0100000;
  }
}
