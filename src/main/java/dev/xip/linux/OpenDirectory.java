package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.image.FileType;
import dev.xip.vfs.Directory;
import dev.xip.vfs.Vfs;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** An open directory, whose position is the cookie of the last entry that was told. */
final class OpenDirectory extends OpenFile {
  /** struct linux_dirent64 before the name. */
  private static final int ENTRY_BYTES = 19;

  private static final int MOST_BYTES = 1 << 16;

  private final Directory directory;

  /** Guarded by this object's monitor. */
  private long position;

  OpenDirectory(int flags, Directory directory) {
    super(flags);
    this.directory = directory;
  }

  @Override
  long read(Task task, long va, long length) {
    return -Errno.EISDIR.number();
  }

  @Override
  long readAt(Task task, long va, long length, long from) {
    return -Errno.EISDIR.number();
  }

  @Override
  synchronized long seek(long offset, int whence) {
    long to = whence == 0 ? offset : whence == 1 ? position + offset : -1;
    if (to < 0) {
      return -Errno.EINVAL.number();
    }
    position = to;
    return to;
  }

  /** getdents64(2). */
  synchronized long list(Task task, Vfs files, long va, long size) throws IOException {
    if (directory.isRemoved()) {
      return -Errno.ENOENT.number();
    }
    ByteBuffer entries =
        ByteBuffer.allocate((int) Math.min(size, MOST_BYTES)).order(ByteOrder.LITTLE_ENDIAN);
    long[] last = {position};
    boolean all =
        position >= 1 || put(entries, FileName.of("."), directory.number(), FileType.DIRECTORY, 1);
    last[0] = all && position < 1 ? 1 : position;
    if (all && position < 2) {
      long above = files.above(directory).number();
      all = put(entries, FileName.of(".."), above, FileType.DIRECTORY, 2);
      last[0] = all ? 2 : last[0];
    }
    boolean[] whole = {all};
    if (all) {
      directory.list(
          last[0],
          (name, inode, type, cookie) -> {
            whole[0] = put(entries, name, inode, type, cookie);
            last[0] = whole[0] ? cookie : last[0];
            return whole[0];
          });
    }
    if (entries.position() == 0 && !whole[0]) {
      return -Errno.EINVAL.number();
    }
    task.memory().write(va, entries.array(), entries.position());
    position = last[0];
    return entries.position();
  }

  private static boolean put(
      ByteBuffer entries, FileName name, long inode, FileType type, long cookie) {
    int bytes = ENTRY_BYTES + name.length() + 1 + 7 & -8;
    if (entries.remaining() < bytes) {
      return false;
    }
    int start = entries.position();
    // DT_* are the format bits of the mode, shifted.
    entries.putLong(inode).putLong(cookie).putShort((short) bytes).put((byte) (type.mode() >> 12));
    entries.put(name.bytes());
    while (entries.position() < start + bytes) {
      entries.put((byte) 0);
    }
    return true;
  }
}
