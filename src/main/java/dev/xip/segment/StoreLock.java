package dev.xip.segment;

import dev.xip.base.AtomicContext;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The right to change a store: one holder at a time among all processes. The system gives the lock
 * back when its holder dies. Readers need none, since every change is one rename.
 */
final class StoreLock implements AutoCloseable {
  /** The file that is locked. It is empty and stays. */
  static final String FILE = "store.lock";

  /** File locks belong to the process, so its threads need a lock of their own. */
  private static final ReentrantLock IN_PROCESS = new ReentrantLock();

  private final FileChannel channel;

  private StoreLock(FileChannel channel) {
    this.channel = channel;
  }

  static StoreLock acquire(Path folder) throws IOException {
    AtomicContext.mightSleep("segment store lock");
    IN_PROCESS.lock();
    FileChannel channel = null;
    try {
      channel =
          FileChannel.open(
              folder.resolve(FILE), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      channel.lock();
      return new StoreLock(channel);
    } catch (IOException | RuntimeException e) {
      if (channel != null) {
        channel.close();
      }
      IN_PROCESS.unlock();
      throw e;
    }
  }

  @Override
  public void close() throws IOException {
    try {
      channel.close();
    } finally {
      IN_PROCESS.unlock();
    }
  }
}
