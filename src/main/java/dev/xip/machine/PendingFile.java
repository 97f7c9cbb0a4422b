package dev.xip.machine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A file that is made under a name beside its own and takes its own name only when it is whole.
 * Until {@link #commit} whatever had the name before is untouched; without it nothing is left, not
 * even when the JVM is told to stop.
 */
final class PendingFile implements AutoCloseable {
  private static final Set<Path> UNFINISHED = ConcurrentHashMap.newKeySet();
  private static final AtomicLong COUNTER = new AtomicLong();

  static {
    Runtime.getRuntime().addShutdownHook(new Thread(PendingFile::removeUnfinished));
  }

  private final Path target;
  private final Path temporary;

  private PendingFile(Path target, Path temporary) {
    this.target = target;
    this.temporary = temporary;
  }

  /**
   * Chooses the temporary name; makes no file yet.
   *
   * @param target the final name
   * @return the pending file
   * @throws NoSuchFileException if the folder of the target is missing
   * @throws NotDirectoryException if it is no folder
   */
  static PendingFile beside(Path target) throws IOException {
    Path folder = folderOf(target);
    if (!Files.exists(folder)) {
      throw new NoSuchFileException(folder.toString());
    }
    if (!Files.isDirectory(folder)) {
      throw new NotDirectoryException(folder.toString());
    }
    Path temporary;
    do {
      temporary =
          folder.resolve(
              ".xip-%d-%d.tmp".formatted(ProcessHandle.current().pid(), COUNTER.incrementAndGet()));
    } while (Files.exists(temporary, LinkOption.NOFOLLOW_LINKS));
    UNFINISHED.add(temporary);
    return new PendingFile(target, temporary);
  }

  /**
   * Returns where to write.
   *
   * @return the temporary name
   */
  Path path() {
    return temporary;
  }

  /** Forces the bytes to the disk. Not for symbolic links. */
  void sync() throws IOException {
    try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
  }

  /** Gives the file its final name, in one step, in place of whatever had it. */
  void commit() throws IOException {
    Files.move(
        temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    UNFINISHED.remove(temporary);
  }

  /** Makes the new name survive a power cut. */
  void syncFolder() throws IOException {
    try (FileChannel channel = FileChannel.open(folderOf(target), StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /** Removes the temporary file if it was never committed. */
  @Override
  public void close() throws IOException {
    if (UNFINISHED.remove(temporary)) {
      Files.deleteIfExists(temporary);
    }
  }

  private static Path folderOf(Path target) {
    return target.toAbsolutePath().getParent();
  }

  private static void removeUnfinished() {
    for (Path each : UNFINISHED) {
      try {
        Files.deleteIfExists(each);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
