package dev.xip.nio;

import java.io.IOException;
import java.nio.channels.AsynchronousFileChannel;
import java.nio.channels.Channel;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The locks of the files of one file system. All are shared: an exclusive one needs a channel that
 * is open for writing. Since no program can write to a file, a lock is granted at once, keeps no
 * other program out and is not known to the host. It has the rules that programs rely on: it is
 * valid until it is released or its channel is closed, and two locks of one file that overlap are
 * refused, {@link OverlappingFileLockException}, whichever channels of this file system they are
 * for.
 */
final class ImageLocks {
  /** The valid locks by the number of the file's inode; guarded by this object's monitor. */
  private final Map<Long, List<Lock>> byFile = new HashMap<>();

  /** A shared lock. */
  private static final class Lock extends FileLock {
    private final ImageLocks locks;
    private final long inode;
    private boolean released;

    Lock(ImageLocks locks, long inode, FileChannel channel, long position, long size) {
      super(channel, position, size, true);
      this.locks = locks;
      this.inode = inode;
    }

    Lock(ImageLocks locks, long inode, AsynchronousFileChannel channel, long position, long size) {
      super(channel, position, size, true);
      this.locks = locks;
      this.inode = inode;
    }

    @Override
    public boolean isValid() {
      synchronized (locks) {
        return !released && acquiredBy().isOpen();
      }
    }

    @Override
    public void release() throws IOException {
      if (!acquiredBy().isOpen()) {
        throw new ClosedChannelException();
      }
      locks.remove(this);
    }
  }

  /**
   * Locks a part of a file.
   *
   * @param size how many bytes, 0 for all from the position on
   * @throws ClosedChannelException if the channel is closed
   * @throws OverlappingFileLockException if a part of it is locked
   */
  FileLock lock(FileChannel channel, long inode, long position, long size)
      throws ClosedChannelException {
    return add(new Lock(this, inode, channel, position, length(position, size)));
  }

  /** Locks a part of a file, as the other method does. */
  FileLock lock(AsynchronousFileChannel channel, long inode, long position, long size)
      throws ClosedChannelException {
    return add(new Lock(this, inode, channel, position, length(position, size)));
  }

  private static long length(long position, long size) {
    return size == 0 ? Long.MAX_VALUE - Math.max(0, position) : size;
  }

  /** A channel is closed first, then its locks are removed: this comes before, or sees it. */
  private synchronized Lock add(Lock lock) throws ClosedChannelException {
    if (!lock.acquiredBy().isOpen()) {
      throw new ClosedChannelException();
    }
    List<Lock> held = byFile.computeIfAbsent(lock.inode, number -> new ArrayList<>());
    if (held.stream().anyMatch(each -> each.overlaps(lock.position(), lock.size()))) {
      throw new OverlappingFileLockException();
    }
    held.add(lock);
    return lock;
  }

  private synchronized void remove(Lock lock) {
    lock.released = true;
    List<Lock> held = byFile.get(lock.inode);
    if (held != null && held.remove(lock) && held.isEmpty()) {
      byFile.remove(lock.inode);
    }
  }

  /** Releases the locks of a channel that is closed. */
  synchronized void removeAll(Channel channel, long inode) {
    List<Lock> held = byFile.getOrDefault(inode, List.of());
    List.copyOf(held).stream().filter(l -> l.acquiredBy() == channel).forEach(this::remove);
  }
}
