package dev.xip.nio;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.ReadableByteChannel;
import java.util.Objects;

/**
 * What all channels have in common whose file never changes: the checks of arguments, the end by an
 * interrupt, and the refusal of every write with the exceptions of the default provider, in its
 * order.
 */
abstract class ReadOnlyFileChannel extends FileChannel {
  /** Whether an interrupt of a thread that uses this closes it. */
  private final boolean interruptible;

  ReadOnlyFileChannel(boolean interruptible) {
    this.interruptible = interruptible;
  }

  final void requireOpen() throws ClosedChannelException {
    if (!isOpen()) {
      throw new ClosedChannelException();
    }
  }

  static void requireAtLeastZero(long number, String what) {
    if (number < 0) {
      throw new IllegalArgumentException("%s %d is negative".formatted(what, number));
    }
  }

  /**
   * Begins an operation. If the thread is interrupted, this is closed, and {@link #after} throws.
   */
  final void before() {
    if (interruptible) {
      begin();
    }
  }

  /** Ends an operation. */
  final void after(boolean completed) throws AsynchronousCloseException {
    if (interruptible) {
      end(completed);
    }
  }

  /** Closes this if the thread is interrupted, as every operation does. */
  final void obeyInterrupt() throws AsynchronousCloseException {
    before();
    after(isOpen());
  }

  /** Does nothing: there is nothing that could be lost. */
  @Override
  public final void force(boolean metaData) throws IOException {
    requireOpen();
    obeyInterrupt();
  }

  @Override
  public final FileChannel truncate(long size) throws IOException {
    requireOpen();
    requireAtLeastZero(size, "size");
    throw new NonWritableChannelException();
  }

  @Override
  public final int write(ByteBuffer from) throws IOException {
    requireOpen();
    throw new NonWritableChannelException();
  }

  @Override
  public final int write(ByteBuffer from, long at) throws IOException {
    Objects.requireNonNull(from);
    requireAtLeastZero(at, "position");
    requireOpen();
    throw new NonWritableChannelException();
  }

  @Override
  public final long write(ByteBuffer[] from, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, from.length);
    requireOpen();
    throw new NonWritableChannelException();
  }

  @Override
  public final long transferFrom(ReadableByteChannel source, long at, long count)
      throws IOException {
    requireOpen();
    if (!source.isOpen()) {
      throw new ClosedChannelException();
    }
    throw new NonWritableChannelException();
  }
}
