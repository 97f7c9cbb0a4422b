package dev.xip.nio;

import dev.xip.base.LostPages;
import dev.xip.image.FileContent;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.image.MemoryFaults;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.FileLockInterruptionException;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.WritableByteChannel;
import java.nio.file.FileSystemException;
import java.util.Objects;

/**
 * A file of an image, open for reading. It answers as a channel of the default provider that is
 * open for reading, with two differences: {@link java.nio.channels.FileChannel.MapMode#PRIVATE} is
 * granted, since a private store needs no right to write; and if the image was truncated since it
 * was opened, a read, transfer or mapping throws {@link dev.xip.image.CorruptImageException}. Bytes
 * go straight from the image's pages to the caller's buffer, or to the channel that they are
 * transferred to. Locks: {@link ImageLocks}.
 *
 * <p>What {@code map} returns are the image's own pages. A buffer stays valid until it is not
 * reachable any more, memory until its arena is closed, whatever is closed before; lost pages of a
 * truncated image read as zeros there.
 */
final class ImageFileChannel extends ReadOnlyFileChannel {
  /** How much is written to another channel before this looks whether it is still open. */
  private static final long TRANSFER = 8L << 20;

  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0).asReadOnlyBuffer();

  private final ImageChannels channels;
  private final String name;
  private final Inode file;
  private final FileContent content;
  private final Uses reads;
  private final Object positionLock = new Object();

  /** Guarded by {@link #positionLock}. */
  private long position;

  ImageFileChannel(
      ImageChannels channels, String name, Inode file, FileContent content, boolean interruptible) {
    super(interruptible);
    this.channels = channels;
    this.name = name;
    this.file = file;
    this.content = content;
    this.reads = channels.newUses();
  }

  @Override
  public int read(ByteBuffer to) throws IOException {
    requireOpen();
    synchronized (positionLock) {
      int count = copy(position, to);
      position += Math.max(0, count);
      return count;
    }
  }

  @Override
  public int read(ByteBuffer to, long from) throws IOException {
    Objects.requireNonNull(to);
    requireAtLeastZero(from, "position");
    requireOpen();
    return copy(from, to);
  }

  private int copy(long from, ByteBuffer to) throws IOException {
    int count = 0;
    reads.enter();
    try {
      before();
      count = isOpen() ? ChannelReads.read(content, from, to) : 0;
      return count;
    } finally {
      reads.leave();
      after(count > 0);
    }
  }

  @Override
  public long read(ByteBuffer[] to, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, to.length);
    requireOpen();
    synchronized (positionLock) {
      long count = 0;
      reads.enter();
      try {
        before();
        count = isOpen() ? scatter(to, offset, length) : 0;
        position += Math.max(0, count);
        return count;
      } finally {
        reads.leave();
        after(count > 0);
      }
    }
  }

  private long scatter(ByteBuffer[] to, int offset, int length) throws IOException {
    boolean room = false;
    for (int i = offset; i < offset + length; i++) {
      if (to[i].isReadOnly()) {
        throw new IllegalArgumentException("buffer %d is read-only".formatted(i));
      }
      room |= to[i].hasRemaining();
    }
    if (room && position >= content.size()) {
      return -1;
    }
    long count = 0;
    for (int i = offset; i < offset + length; i++) {
      count += Math.max(0, ChannelReads.read(content, position + count, to[i]));
    }
    return count;
  }

  @Override
  public long position() throws IOException {
    requireOpen();
    obeyInterrupt();
    synchronized (positionLock) {
      return position;
    }
  }

  @Override
  public FileChannel position(long newPosition) throws IOException {
    requireOpen();
    requireAtLeastZero(newPosition, "position");
    obeyInterrupt();
    synchronized (positionLock) {
      position = newPosition;
      return this;
    }
  }

  @Override
  public long size() throws IOException {
    requireOpen();
    obeyInterrupt();
    return content.size();
  }

  @Override
  public long transferTo(long from, long count, WritableByteChannel target) throws IOException {
    requireOpen();
    if (!target.isOpen()) {
      throw new ClosedChannelException();
    }
    requireAtLeastZero(from, "position");
    requireAtLeastZero(count, "count");
    reads.enter();
    try {
      if (target instanceof FileChannel) {
        // Throws if it is not open for writing, even where nothing is to be transferred.
        target.write(NOTHING.duplicate());
      }
      obeyInterrupt();
      return content.read(
          from, count, (memory, at, done, run) -> transfer(memory, at, run, target), 0);
    } catch (ClosedChannelException e) {
      throw closedBoth(e, target);
    } finally {
      reads.leave();
    }
  }

  /** Writes bytes of the image, or zeros of a hole, from where they lie. */
  private long transfer(MemorySegment memory, long at, long run, WritableByteChannel target)
      throws IOException {
    long done = 0;
    while (done < run) {
      requireOpen();
      MemorySegment part = memory.asSlice(at + done, Math.min(run - done, TRANSFER));
      int written = write(part, target);
      done += written;
      if (written < part.byteSize()) {
        break;
      }
    }
    return done;
  }

  /** A system call fails on a lost page, where a load would record the loss. */
  private int write(MemorySegment part, WritableByteChannel target) throws IOException {
    try {
      return target.write(part.asByteBuffer());
    } catch (ClosedChannelException e) {
      throw e;
    } catch (IOException e) {
      LostPages.touch(part);
      FsImage image = channels.image().image();
      MemoryFaults.check(image.name(), image.memory());
      throw e;
    }
  }

  /** An interrupt closes both channels; else one of them was closed by another thread. */
  private AsynchronousCloseException closedBoth(
      ClosedChannelException e, WritableByteChannel target) throws IOException {
    if (e instanceof ClosedByInterruptException interrupt) {
      close();
      target.close();
      return interrupt;
    }
    if (e instanceof AsynchronousCloseException closed) {
      return closed;
    }
    AsynchronousCloseException closed = new AsynchronousCloseException();
    closed.initCause(e);
    return closed;
  }

  /**
   * Maps a part of the file.
   *
   * @throws NonWritableChannelException for {@code READ_WRITE}
   * @throws UnsupportedOperationException for another mode than {@code READ_ONLY} and {@code
   *     PRIVATE}
   * @throws java.nio.file.FileSystemException if the bytes do not lie in whole pages of the image;
   *     the text says why
   * @throws IOException if the part passes the end of the file, or there are no mappings left
   */
  @Override
  public MappedByteBuffer map(MapMode mode, long from, long size) throws IOException {
    if (size > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("size %d exceeds an int".formatted(size));
    }
    Objects.requireNonNull(mode);
    requireMappable(mode, from, size);
    if (mode == MapMode.READ_ONLY) {
      return mapped(() -> channels.image().map(file, from, (int) size));
    }
    MemorySegment memory =
        mapped(() -> channels.image().mapCopyOnWrite(file, from, size, Arena.ofAuto()));
    return (MappedByteBuffer) memory.asByteBuffer();
  }

  /**
   * Maps a part of the file for as long as an arena lives.
   *
   * @throws IllegalStateException if the arena is closed
   * @throws IOException as the other method does
   */
  @Override
  public MemorySegment map(MapMode mode, long from, long size, Arena arena) throws IOException {
    Objects.requireNonNull(mode);
    if (!arena.scope().isAlive()) {
      throw new IllegalStateException("the arena is closed");
    }
    requireAtLeastZero(from, "position");
    requireAtLeastZero(size, "size");
    requireMappable(mode, from, size);
    return mapped(
        () ->
            mode == MapMode.READ_ONLY
                ? channels.image().map(file, from, size, arena)
                : channels.image().mapCopyOnWrite(file, from, size, arena));
  }

  private void requireMappable(MapMode mode, long from, long size) throws IOException {
    requireOpen();
    requireAtLeastZero(from, "position");
    requireAtLeastZero(size, "size");
    requireAtLeastZero(from + size, "end");
    if (mode == MapMode.READ_WRITE) {
      throw new NonWritableChannelException();
    }
    if (mode != MapMode.READ_ONLY && mode != MapMode.PRIVATE) {
      throw new UnsupportedOperationException(mode.toString());
    }
    obeyInterrupt();
  }

  /** Makes a mapping while the image is kept open. */
  private <T> T mapped(MemoryFaults.Operation<T> mapping) throws IOException {
    reads.enter();
    try {
      return mapping.run();
    } catch (ClosedByInterruptException e) {
      close();
      throw e;
    } catch (FileSystemException e) {
      throw Failures.naming(name, e);
    } finally {
      reads.leave();
    }
  }

  @Override
  public FileLock lock(long from, long size, boolean shared) throws IOException {
    FileLock lock = tryLock(from, size, shared);
    try {
      obeyInterrupt();
    } catch (ClosedByInterruptException e) {
      throw new FileLockInterruptionException();
    }
    return lock;
  }

  @Override
  public FileLock tryLock(long from, long size, boolean shared) throws IOException {
    requireOpen();
    if (!shared) {
      throw new NonWritableChannelException();
    }
    return channels.locks().lock(this, file.number(), from, size);
  }

  @Override
  protected void implCloseChannel() throws IOException {
    channels.closed(this, file.number(), reads);
  }

  @Override
  public String toString() {
    return "%s[%s]".formatted(getClass().getSimpleName(), name);
  }
}
