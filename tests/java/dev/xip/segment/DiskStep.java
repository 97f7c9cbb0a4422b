package dev.xip.segment;

import java.nio.file.Path;

/** What a system call does to files and folders. Paths are relative to the recorded folder. */
sealed interface DiskStep {
  /** A file is opened, and made empty if there was none. */
  record Make(Path file) implements DiskStep {}

  /** What a step does to the bytes of a file. */
  sealed interface Data extends DiskStep {
    Path file();
  }

  /** A file gets another length; an extension is zeros. */
  record Resize(Path file, long length) implements Data {}

  /** Bytes are written at an offset. */
  record Write(Path file, long offset, byte[] bytes) implements Data {
    @Override
    public String toString() {
      return "Write[file=%s, offset=0x%x, %d bytes]".formatted(file, offset, bytes.length);
    }
  }

  /** A file gets a second name. */
  record Link(Path file, Path name) implements DiskStep {}

  /** A file is renamed, replacing what has the new name. */
  record Rename(Path file, Path name) implements DiskStep {}

  /** A name is removed. */
  record Unlink(Path file) implements DiskStep {}

  /** A file's bytes and length, or a folder's entries, are forced to the disk. */
  record Sync(Path path) implements DiskStep {}
}
