package dev.xip.cli;

import dev.xip.host.HostException;
import dev.xip.host.HostFolder;
import dev.xip.host.HostPaths;
import dev.xip.host.ScratchFolder;
import dev.xip.mount.ImagePlace;
import dev.xip.mount.ImageSource;
import dev.xip.segment.SegmentSource;
import dev.xip.segment.SegmentSource.FilePart;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * The contents for a segment, from the file or partition that {@code --from} names, or those of an
 * archive. A pipe, which can be read only once, is copied to a scratch file first.
 */
final class Contents implements AutoCloseable {
  private static final int TYPE = 0170000;
  private static final int PIPE = 0010000;
  private static final int CHARACTER_DEVICE = 0020000;
  private static final int BLOCK_DEVICE = 0060000;
  private static final int SOCKET = 0140000;
  private static final int BUFFER_BYTES = 1 << 20;

  /** The length of what has the size of its file. */
  private static final long ALL = -1;

  private final Path file;
  private final long offset;
  private final long length;

  /** The folder of the file if it is a copy; else null. */
  private final ScratchFolder scratch;

  private Contents(Path file, long offset, long length, ScratchFolder scratch) {
    this.file = file;
    this.offset = offset;
    this.length = length;
    this.scratch = scratch;
  }

  /**
   * Finds a partition or range, or takes a whole file as {@link #of(Path, long)} does, or a block
   * device. What is unusual about the place is printed.
   *
   * @param from where the contents lie
   * @param atMost the most bytes to copy of a pipe
   * @throws FileSystemException if there is no such place
   */
  static Contents of(ImageSource from, long atMost) throws IOException {
    boolean device = (mode(from.file()) & TYPE) == BLOCK_DEVICE;
    if (from.isWhole() && !device) {
      warn(from, from.warnings());
      return of(from.file(), atMost);
    }
    ImagePlace place = from.find();
    warn(from, place.warnings());
    return new Contents(from.file(), place.offset(), place.length(), null);
  }

  private static void warn(ImageSource from, List<String> warnings) {
    warnings.forEach(each -> Errors.line(from.name() + ": " + each));
  }

  /**
   * Takes a regular file, or copies a pipe or a block device.
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
      default -> new Contents(from, 0, ALL, null);
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
      return new Contents(scratch.path().resolve("contents"), 0, ALL, scratch);
    } catch (IOException | RuntimeException e) {
      scratch.close();
      throw e;
    }
  }

  /** {@return the whole file, or the copy of a pipe or device} */
  Path file() {
    return file;
  }

  /** {@return the number of bytes} */
  long bytes() throws IOException {
    return length == ALL ? Files.size(file) : length;
  }

  /** {@return the contents, which are copied with a progress bar} */
  SegmentSource source() throws IOException {
    long bytes = bytes();
    TerminalProgress progress = TerminalProgress.ofBytes("copying");
    LongConsumer shown =
        done -> {
          progress.at(done, bytes);
          if (done >= bytes) {
            progress.close();
          }
        };
    return length == ALL
        ? SegmentSource.copyOf(file, shown)
        : SegmentSource.copyOf(List.of(new FilePart(file, offset, length)), shown);
  }

  @Override
  public void close() throws IOException {
    if (scratch != null) {
      scratch.close();
    }
  }
}
