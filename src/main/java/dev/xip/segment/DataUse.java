package dev.xip.segment;

import dev.xip.host.Errno;
import dev.xip.host.HostException;
import dev.xip.host.HostFile;
import dev.xip.host.HostFolder;
import dev.xip.host.HostStat;
import dev.xip.host.Sharing;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * One loader's use of a data file: it is open, its first byte is locked shared, and so is one byte
 * that says who uses it, by locks of the open file that the system gives back when the process
 * dies. So anybody can find out whether a version has users, in any process. Whoever is the first
 * user of a segment of type SN clears what the users before left.
 */
final class DataUse implements AutoCloseable {
  /** A first user holds the file exclusively only while it clears it. */
  private static final int TRIES = 2000;

  private final HostFile file;

  private DataUse(HostFile file) {
    this.file = file;
  }

  /**
   * Opens the data file of a segment that is to be loaded.
   *
   * @throws SegmentException EIO if the file is missing or shorter than the definition says; EBUSY
   *     if somebody holds it exclusively for seconds
   */
  static DataUse begin(StoredSegment stored, SharingMode mode) throws IOException {
    HostFile file = open(stored, mode);
    try {
      for (int tries = 0; !enter(stored, file); tries++) {
        if (tries == TRIES) {
          throw new SegmentException(
              Errno.EBUSY, subject(stored), "a file to share", "it locked exclusively");
        }
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
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
  boolean isStored(StoredSegment stored) throws HostException {
    HostStat mine = file.stat();
    try {
      HostStat there = HostFolder.stat(stored.dataFile());
      return mine.ino() == there.ino() && mine.dev() == there.dev();
    } catch (HostException e) {
      if (e.errno() == Errno.ENOENT) {
        return false;
      }
      throw e;
    }
  }

  private static HostFile open(StoredSegment stored, SharingMode mode) throws IOException {
    boolean storesReachFile =
        stored.definition().parts().stream()
            .map(SegmentPart::type)
            .anyMatch(type -> type.isWritable(mode) && type.sharing(mode) == Sharing.SHARED);
    try {
      return storesReachFile || clears(stored)
          ? HostFile.openReadWrite(stored.dataFile())
          : HostFile.openReadOnly(stored.dataFile());
    } catch (HostException e) {
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
