package dev.xip.segment;

import dev.xip.base.Errno;
import dev.xip.host.HostException;
import dev.xip.host.HostFile;
import dev.xip.host.HostStat;
import dev.xip.host.Sharing;
import java.io.IOException;
import java.time.Duration;

/**
 * One loader's use of a data file: the file is open, with shared locks on its first byte and on a
 * byte whose offset identifies the user. They are open file description locks, which the kernel
 * releases when the process dies, so any process can find out whether a version has users. The
 * first user of a segment of type SN clears what earlier users left.
 */
final class DataUse implements AutoCloseable {
  /** A file that is moved into the store briefly has its old name too. */
  private static final WaitLimit FOR_ONE_NAME = WaitLimit.of(Duration.ofSeconds(1), line -> {});

  private final HostFile file;

  private DataUse(HostFile file) {
    this.file = file;
  }

  /**
   * Opens the data file of a segment that is to be loaded.
   *
   * @throws SegmentException EIO if the file is missing, shorter than the definition says, not
   *     regular, of an owner whom the store does not trust, or has a second name though stores are
   *     to reach it; EBUSY if another process holds it exclusively for as long as the limit
   */
  static DataUse begin(StoreFolder folder, StoredSegment stored, SharingMode mode, WaitLimit limit)
      throws IOException {
    boolean stores = storesReachFile(stored, mode);
    HostFile file = open(folder, stored, stores);
    try {
      if (stores) {
        requireOneName(stored, file);
      }
      Waiting waiting = new Waiting(limit, file);
      while (!enter(stored, file)) {
        if (!waiting.goesOn()) {
          throw new SegmentException(
              Errno.EBUSY, subject(stored) + ": locked exclusively by " + waiting.holder());
        }
      }
      long expected = stored.definition().byteSize();
      if (file.size() < expected) {
        throw new SegmentException(
            Errno.EIO,
            subject(stored),
            "0x%x bytes".formatted(expected),
            "0x%x".formatted(file.size()));
      }
      file.tryLockShared(DataUsers.newSlot(mode), 1); // no slot is ever locked exclusively
      return new DataUse(file);
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** A second name may be a hard link that another user made to a file of the caller's. */
  private static void requireOneName(StoredSegment stored, HostFile file) throws IOException {
    Waiting waiting = new Waiting(FOR_ONE_NAME, file);
    while (file.stat().nlink() > 1) {
      if (!waiting.goesOn()) {
        throw new SegmentException(
            Errno.EIO, subject(stored) + ": has several names, and stores would reach it");
      }
    }
  }

  /**
   * Tries to lock the first byte shared; for SN exclusively first: of several loaders at once one
   * gets that lock, becomes the first user and clears the file, and the others wait. If it is
   * killed before it has restored the file's length, there is no user yet, so the next loader is
   * the first.
   */
  private static boolean enter(StoredSegment stored, HostFile file) throws HostException {
    long expected = stored.definition().byteSize();
    if (clears(stored) && file.tryLockExclusive(StoreFile.GATE_BYTE, 1)) {
      file.truncate(0);
      file.truncate(expected);
    }
    if (!file.tryLockShared(StoreFile.GATE_BYTE, 1)) {
      return false;
    }
    if (clears(stored) && file.size() < expected) {
      file.unlock(StoreFile.GATE_BYTE, 1);
      return false;
    }
    return true;
  }

  /**
   * Tells whether the store still has this file under its name: a segment that was removed and
   * defined again may have the same version.
   */
  boolean isStored(StoreFolder folder, StoredSegment stored) throws HostException {
    HostStat mine = file.stat();
    try {
      HostStat there = folder.stat(StoreFile.data(stored.name(), stored.version()));
      return mine.ino() == there.ino() && mine.dev() == there.dev();
    } catch (HostException e) {
      if (e.errno() == Errno.ENOENT) {
        return false;
      }
      throw e;
    }
  }

  private static boolean storesReachFile(StoredSegment stored, SharingMode mode) {
    return clears(stored)
        || stored.definition().parts().stream()
            .map(SegmentPart::type)
            .anyMatch(type -> type.isWritable(mode) && type.sharing(mode) == Sharing.SHARED);
  }

  private static HostFile open(StoreFolder folder, StoredSegment stored, boolean writable)
      throws IOException {
    try {
      StoreFile data = StoreFile.data(stored.name(), stored.version());
      return folder.openTrusted(data.fileName(), writable);
    } catch (IOException e) {
      throw DataUsers.unusable(stored, e);
    }
  }

  /** Whether the first user clears the file: stores to SN reach it, but are not to be kept. */
  private static boolean clears(StoredSegment stored) {
    return stored.definition().type() == SegmentType.SN;
  }

  private static String subject(StoredSegment stored) {
    return "segment %s: data file %s".formatted(stored.name(), stored.dataFile());
  }

  HostFile file() {
    return file;
  }

  /** Ends the use. Precondition: nothing of the file is mapped any more. */
  @Override
  public void close() {
    file.close();
  }
}
