package dev.xip.nio;

import dev.xip.image.FileContent;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.mount.OpenImage;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.AsynchronousFileChannel;
import java.nio.channels.Channel;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.ClosedFileSystemException;
import java.nio.file.FileSystemException;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;

/**
 * Opens channels on the files of an image. To close this closes them all, then the image: at once,
 * or when the last read or transfer ends that is under way; a transfer may be blocked by its
 * target. Buffers and memory that were mapped stay valid. A channel that was not closed and is not
 * reachable is forgotten.
 */
final class ImageChannels implements Closeable {
  private final OpenImage image;
  private final ImageLocks locks = new ImageLocks();

  /** Guarded by this object's monitor, as is {@link #closed}. */
  private final Set<Channel> open = Collections.newSetFromMap(new WeakHashMap<>());

  private boolean closed;

  /** One of this until it is closed, and one of each closed channel that is still reading. */
  private final Uses uses;

  ImageChannels(OpenImage image) {
    this.image = image;
    this.uses = new Uses(image::close);
  }

  /** Runs asynchronous reads for which the caller has no executor. */
  private static final class Readers {
    static final ExecutorService POOL = Executors.newCachedThreadPool(threads());
  }

  /**
   * Makes the threads of the default pool: by the class that the property of {@link
   * java.nio.channels.AsynchronousChannelGroup} names, as with other providers, or daemons.
   */
  static ThreadFactory threads() {
    String named = System.getProperty("java.nio.channels.DefaultThreadPool.threadFactory");
    if (named == null) {
      return Thread.ofPlatform().daemon().name("xip-reader-", 0).factory();
    }
    try {
      Class<?> factory = Class.forName(named, true, ClassLoader.getSystemClassLoader());
      return (ThreadFactory) factory.getConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("no factory of threads: " + named, e);
    }
  }

  /**
   * Opens a file for reading.
   *
   * @param name its path, for messages
   * @throws FileSystemException if it is not a regular file, or cannot be read; the text says why
   * @throws ClosedFileSystemException if this is closed
   */
  FileChannel open(String name, Inode file) throws IOException {
    return add(new ImageFileChannel(this, name, file, content(name, file), true));
  }

  /** Opens a file as {@link #open} does, but an interrupt of a thread that reads does nothing. */
  FileChannel openUninterruptible(String name, Inode file) throws IOException {
    return add(new ImageFileChannel(this, name, file, content(name, file), false));
  }

  /** Opens a file as a stream; an interrupt does not close it, as with other providers. */
  InputStream openStream(String name, Inode file) throws IOException {
    return Channels.newInputStream(openUninterruptible(name, file));
  }

  /**
   * Opens a file for reading in other threads.
   *
   * @param executor runs the reads and handlers; null for daemon threads of this provider
   */
  AsynchronousFileChannel openAsynchronous(String name, Inode file, ExecutorService executor)
      throws IOException {
    return add(
        new ImageAsynchronousChannel(
            this, file, content(name, file), executor == null ? Readers.POOL : executor));
  }

  private FileContent content(String name, Inode file) throws IOException {
    if (file.type() == FileType.DIRECTORY) {
      throw new FileSystemException(name, null, "Is a directory");
    }
    requireOpen();
    return FileContent.of(image.image(), file);
  }

  private <C extends Channel> C add(C channel) {
    synchronized (this) {
      requireOpen();
      open.add(channel);
    }
    return channel;
  }

  private synchronized void requireOpen() {
    if (closed) {
      throw new ClosedFileSystemException();
    }
  }

  OpenImage image() {
    return image;
  }

  ImageLocks locks() {
    return locks;
  }

  /** {@return a count of a channel's reads, which {@link #closed} ends} */
  Uses newUses() {
    return new Uses(uses::leave);
  }

  /** Called when a channel is closed: keeps the image until the last of its reads ends. */
  void closed(Channel channel, long inode, Uses reads) throws IOException {
    uses.enter();
    reads.leave();
    locks.removeAll(channel, inode);
    synchronized (this) {
      open.remove(channel);
    }
  }

  /** Closes the channels, then the image when no read is under way; again: does nothing. */
  @Override
  public void close() throws IOException {
    List<Channel> last;
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      last = List.copyOf(open);
    }
    for (Channel each : last) {
      each.close();
    }
    uses.leave();
  }
}
