package dev.xip.cli;

import dev.xip.host.HostException;
import dev.xip.host.HostFolder;
import dev.xip.host.HostPaths;
import dev.xip.host.ScratchFolder;
import dev.xip.segment.SegmentSource;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The contents for a segment, from the file that {@code --from} names. A pipe, which can be read
 * only once, and a block device, whose size stat(2) does not report, are copied to a scratch file
 * first.
 */
final class Contents implements AutoCloseable {
  private static final int TYPE = 0170000;
  private static final int PIPE = 0010000;
  private static final int CHARACTER_DEVICE = 0020000;
  private static final int BLOCK_DEVICE = 0060000;
  private static final int SOCKET = 0140000;
  private static final int BUFFER_BYTES = 1 << 20;

  private final Path file;

  /** The folder of the file if it is a copy; else null. */
  private final ScratchFolder scratch;

  private Contents(Path file, ScratchFolder scratch) {
    this.file = file;
    this.scratch = scratch;
  }

  /**
   * Opens a regular file, or copies a pipe or a block device.
   *
   * @param from the file that was named
   * @param atMost the most bytes to copy
   * @throws FileSystemException if it has another type, and so may never end, or has more bytes
   */
  static Contents of(Path from, long atMost) throws IOException {
    return switch (mode(from) & TYPE) {
      case PIPE, BLOCK_DEVICE -> read(from, atMost);
      case CHARACTER_DEVICE -> throw refused(from, "a character device");
      case SOCKET -> throw refused(from, "a socket");
      default -> new Contents(from, null);
    };
  }

  private static int mode(Path from) throws IOException {
    try {
      return HostFolder.stat(from).mode();
    } catch (HostException e) {
      throw e.at(HostPaths.text(from));
    }
  }

  private static FileSystemException refused(Path from, String found) {
    return new FileSystemException(
        HostPaths.text(from),
        null,
        "expected a regular file, a pipe or a block device, found " + found);
  }

  private static Contents read(Path from, long atMost) throws IOException {
    ScratchFolder scratch = ScratchFolder.in(HostPlace.temporary(), "xip-from");
    try (InputStream in = Files.newInputStream(from);
        OutputStream out = Files.newOutputStream(scratch.path().resolve("contents"))) {
      byte[] buffer = new byte[BUFFER_BYTES];
      long left = atMost;
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        if (n > left) {
          throw new FileSystemException(
              HostPaths.text(from),
              null,
              "expected at most 0x%x bytes, found more".formatted(atMost));
        }
        out.write(buffer, 0, n);
        left -= n;
      }
      return new Contents(scratch.path().resolve("contents"), scratch);
    } catch (IOException | RuntimeException e) {
      scratch.close();
      throw e;
    }
  }

  /** {@return the file, or the copy of a pipe or device} */
  Path file() {
    return file;
  }

  /** {@return the number of bytes} */
  long bytes() throws IOException {
    return Files.size(file);
  }

  /** {@return the contents, which are copied with a progress bar} */
  SegmentSource source() throws IOException {
    long bytes = bytes();
    TerminalProgress progress = TerminalProgress.ofBytes("copying");
    return SegmentSource.copyOf(
        file,
        done -> {
          progress.at(done, bytes);
          if (done >= bytes) {
            progress.close();
          }
        });
  }

  @Override
  public void close() throws IOException {
    if (scratch != null) {
      scratch.close();
    }
  }
}
