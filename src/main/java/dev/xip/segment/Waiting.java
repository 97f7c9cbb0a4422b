package dev.xip.segment;

import dev.xip.host.HostException;
import dev.xip.host.HostFile;
import dev.xip.host.HostFolder;
import dev.xip.host.HostStat;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** One wait for another process's lock on a file. */
final class Waiting {
  private static final long TOLD_AFTER = TimeUnit.SECONDS.toNanos(1);
  private static final long LONGEST_SLEEP_MILLIS = 20;
  private static final Path PROCESSES = Path.of("/proc");

  private final WaitLimit limit;
  private final HostFile file;
  private final long start = System.nanoTime();
  private long tries;
  private boolean told;

  Waiting(WaitLimit limit, HostFile file) {
    this.limit = limit;
    this.file = file;
  }

  /**
   * Sleeps for some milliseconds; returns false if the limit has passed or the call is abandoned.
   */
  boolean goesOn() {
    long waited = System.nanoTime() - start;
    if (waited >= limit.limit().toNanos() || limit.abandoned().getAsBoolean()) {
      return false;
    }
    if (waited >= TOLD_AFTER && !told) {
      told = true;
      limit.told().accept("waiting for %s, which has locked %s".formatted(holder(), file.name()));
    }
    tries++;
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(Math.min(tries, LONGEST_SLEEP_MILLIS)));
    return true;
  }

  /**
   * Names the process that has a lock on the file. fcntl(2) reports no owner of an open file
   * description lock, so the open files of all processes are searched, those of other users if
   * permitted.
   */
  String holder() {
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROCESSES, "[0-9]*")) {
      HostStat wanted = file.stat();
      for (Path each : processes) {
        if (locks(each, wanted)) {
          return "process " + each.getFileName();
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      // It stays unknown.
    }
    return "an unknown process";
  }

  private static boolean locks(Path process, HostStat wanted) {
    try (DirectoryStream<Path> open = Files.newDirectoryStream(process.resolve("fd"))) {
      for (Path each : open) {
        if (isSame(each, wanted)
            && Files.readString(process.resolve("fdinfo").resolve(each.getFileName()))
                .contains("lock:")) {
          return true;
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      // It has ended, or is another user's.
    }
    return false;
  }

  private static boolean isSame(Path descriptor, HostStat wanted) {
    try {
      HostStat found = HostFolder.stat(descriptor);
      return found.ino() == wanted.ino() && found.dev() == wanted.dev();
    } catch (HostException e) {
      return false; // closed, or no file of a file system
    }
  }
}
