package dev.xip.segment;

import dev.xip.base.Errno;
import dev.xip.host.HostException;
import dev.xip.host.HostFile;
import dev.xip.host.HostStat;
import dev.xip.host.Sharing;
import java.io.IOException;
import java.time.Duration;

/**
 * One loader's use of a data file: it is open, its first byte is locked shared, and so is one byte
 * that says who uses it, by locks of the open file that the system gives back when the process
 * dies. So anybody can find out whether a version has users, in any process. Whoever is the first
 * user of a segment of type SN clears what the users before left.
 */
final class DataUse implements AutoCloseable {
  /** A file that is moved into the store has its old name too, for a moment. */
  private static final WaitLimit FOR_ONE_NAME = WaitLimit.of(Duration.ofSeconds(1), line -> {});

  private final HostFile file;

  private DataUse(HostFile file) {
    this.file = file;
  }

  /**
   * Opens the data file of a segment that is to be loaded.
   *
   * @throws SegmentException EIO if the file is missing, shorter than the definition says, not to
   *     be believed, or has a second name though stores are to reach it; EBUSY if another process
   *     holds it exclusively for as long as the limit
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
              Errno.EBUSY,
              subject(stored),
              "a file to share",
              "it locked exclusively by " + waiting.holder());
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
      file.tryLockShared(DataUsers.newSlot(mode), 1); // nobody locks a slot exclusively
      return new DataUse(file);
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** A second name could be one that another user gave to a file of the caller's. */
  private static void requireOneName(StoredSegment stored, HostFile file) throws IOException {
    Waiting waiting = new Waiting(FOR_ONE_NAME, file);
    while (file.stat().nlink() > 1) {
      if (!waiting.goesOn()) {
        throw new SegmentException(
            Errno.EIO, subject(stored), "a file of one name, as stores reach it", "more names");
      }
    }
  }

  /**
   * Tries to lock the first byte shared. The exclusive lock comes first, so that of several who
   * come at once one is the first user, and the others wait until it has cleared the file. One that
   * was killed before it gave the file its length again has left no user, so the next is the first.
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
   * Tells whether the file is still the one that the store has under its name: a version that was
   * removed and defined again may have the same number.
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

  /** Only stores to SN reach a file that is not meant to keep them. */
  private static boolean clears(StoredSegment stored) {
    return stored.definition().type() == SegmentType.SN;
  }

  private static String subject(StoredSegment stored) {
    return "segment %s: data file %s".formatted(stored.name(), stored.dataFile());
  }

  HostFile file() {
    return file;
  }

  /** Ends the use. Nothing of the file may be mapped any more. */
  @Override
  public void close() {
    file.close();
  }
}
