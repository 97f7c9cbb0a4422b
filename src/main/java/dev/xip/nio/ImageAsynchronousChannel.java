package dev.xip.nio;

import dev.xip.image.FileContent;
import dev.xip.image.Inode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.AsynchronousFileChannel;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.CompletionHandler;
import java.nio.channels.FileLock;
import java.nio.channels.NonWritableChannelException;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;

/**
 * A file of an image, read by an executor's threads, which also run the handlers. To close it does
 * not wait for reads that are under way, which are completed; those that wait for a thread fail
 * with {@link AsynchronousCloseException}. Locks: {@link ImageLocks}.
 */
final class ImageAsynchronousChannel extends AsynchronousFileChannel {
  private final ImageChannels channels;
  private final Inode file;
  private final FileContent content;
  private final Executor executor;
  private final Uses reads;

  /** Cleared under this object's monitor. */
  private volatile boolean open = true;

  ImageAsynchronousChannel(
      ImageChannels channels, Inode file, FileContent content, Executor executor) {
    this.channels = channels;
    this.file = file;
    this.content = content;
    this.executor = executor;
    this.reads = channels.newUses();
  }

  private void requireOpen() throws ClosedChannelException {
    if (!isOpen()) {
      throw new ClosedChannelException();
    }
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  @Override
  public Future<Integer> read(ByteBuffer to, long position) {
    return start(reading(to, position));
  }

  @Override
  public <A> void read(
      ByteBuffer to, long position, A attachment, CompletionHandler<Integer, ? super A> handler) {
    Objects.requireNonNull(handler);
    start(reading(to, position), attachment, handler);
  }

  private Callable<Integer> reading(ByteBuffer to, long position) {
    if (position < 0) {
      throw new IllegalArgumentException("position %d is negative".formatted(position));
    }
    if (to.isReadOnly()) {
      throw new IllegalArgumentException("the buffer is read-only");
    }
    boolean wasOpen = open;
    return () -> readNow(to, position, wasOpen);
  }

  private int readNow(ByteBuffer to, long position, boolean wasOpen) throws IOException {
    try {
      requireOpen();
      reads.enter();
    } catch (ClosedChannelException e) {
      throw wasOpen ? new AsynchronousCloseException() : e;
    }
    try {
      return ChannelReads.read(content, position, to);
    } finally {
      reads.leave();
    }
  }

  private <T> Future<T> start(Callable<T> work) {
    FutureTask<T> task = new FutureTask<>(work);
    executor.execute(task);
    return task;
  }

  private <T, A> void start(
      Callable<T> work, A attachment, CompletionHandler<T, ? super A> handler) {
    executor.execute(
        () -> {
          T result;
          try {
            result = work.call();
          } catch (Exception | Error e) {
            handler.failed(e, attachment);
            return;
          }
          handler.completed(result, attachment);
        });
  }

  @Override
  public long size() throws IOException {
    requireOpen();
    return content.size();
  }

  @Override
  public FileLock tryLock(long position, long size, boolean shared) throws IOException {
    requireShared(shared);
    return channels.locks().lock(this, file.number(), position, size);
  }

  @Override
  public Future<FileLock> lock(long position, long size, boolean shared) {
    return start(granted(position, size, shared));
  }

  @Override
  public <A> void lock(
      long position,
      long size,
      boolean shared,
      A attachment,
      CompletionHandler<FileLock, ? super A> handler) {
    Objects.requireNonNull(handler);
    start(granted(position, size, shared), attachment, handler);
  }

  /** Locks at once, since nothing is waited for; a closed channel is told of by the result. */
  private Callable<FileLock> granted(long position, long size, boolean shared) {
    requireShared(shared);
    try {
      FileLock lock = channels.locks().lock(this, file.number(), position, size);
      return () -> lock;
    } catch (ClosedChannelException closed) {
      return () -> {
        throw closed;
      };
    }
  }

  private static void requireShared(boolean shared) {
    if (!shared) {
      throw new NonWritableChannelException();
    }
  }

  /** Does nothing: there is nothing that could be lost. */
  @Override
  public void force(boolean metaData) throws IOException {
    requireOpen();
  }

  @Override
  public AsynchronousFileChannel truncate(long size) {
    if (size < 0) {
      throw new IllegalArgumentException("size %d is negative".formatted(size));
    }
    throw new NonWritableChannelException();
  }

  @Override
  public Future<Integer> write(ByteBuffer from, long position) {
    throw notWritable(position);
  }

  @Override
  public <A> void write(
      ByteBuffer from, long position, A attachment, CompletionHandler<Integer, ? super A> handler) {
    Objects.requireNonNull(handler);
    throw notWritable(position);
  }

  private static RuntimeException notWritable(long position) {
    return position < 0
        ? new IllegalArgumentException("position %d is negative".formatted(position))
        : new NonWritableChannelException();
  }

  @Override
  public synchronized void close() throws IOException {
    if (open) {
      open = false;
      channels.closed(this, file.number(), reads);
    }
  }
}
