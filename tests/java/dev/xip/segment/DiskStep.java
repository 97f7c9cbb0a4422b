package dev.xip.segment;

import java.nio.file.Path;

/** What a system call does to files and folders. Paths are relative to the recorded folder. */
sealed interface DiskStep {
  /** There is a file, an empty one if there was none. */
  record Make(Path file) implements DiskStep {}

  /** What a step does to the bytes of a file. */
  sealed interface Data extends DiskStep {
    Path file();
  }

  /** A file has another length; what it gains is zeros. */
  record Resize(Path file, long length) implements Data {}

  /** A file has other bytes at an offset. */
  record Write(Path file, long offset, byte[] bytes) implements Data {
    @Override
    public String toString() {
      return "Write[file=%s, offset=0x%x, %d bytes]".formatted(file, offset, bytes.length);
    }
  }

  /** A file has a second name. */
  record Link(Path file, Path name) implements DiskStep {}

  /** A file has another name, taken from whoever had it. */
  record Rename(Path file, Path name) implements DiskStep {}

  /** A file has one name less. */
  record Unlink(Path file) implements DiskStep {}

  /** A file's bytes and length, or a folder's entries, are on the disk. */
  record Sync(Path path) implements DiskStep {}
}
