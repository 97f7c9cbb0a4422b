package dev.xip.cli;

import dev.xip.base.FileName;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Standard output as bytes. Unlike {@link System#out} it tells of a write that failed. Whoever
 * printed flushes.
 */
final class Output {
  private final FileOutputStream file = new FileOutputStream(FileDescriptor.out);
  private final OutputStream buffered = new BufferedOutputStream(file, 1 << 16);
  private final String target = target(1);
  private final boolean terminal = isTerminal(target);

  /**
   * Tells whether a descriptor of this process is a terminal.
   *
   * @param descriptor 1 for standard output, 2 for standard error
   */
  static boolean isTerminal(int descriptor) {
    return isTerminal(target(descriptor));
  }

  private static boolean isTerminal(String target) {
    return target.startsWith("/dev/pts/")
        || target.startsWith("/dev/tty")
        || target.equals("/dev/console");
  }

  /** What the system says a descriptor is of; empty if it does not say. */
  private static String target(int descriptor) {
    try {
      return Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
    } catch (IOException e) {
      return "";
    }
  }

  /** Tells whether it goes to a terminal, {@code /dev/null} or the like, as far as names tell. */
  boolean isDevice() {
    return target.startsWith("/dev/") && !target.startsWith("/dev/shm/");
  }

  /** Prints text as UTF-8. */
  void text(String text) throws IOException {
    buffered.write(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Prints text and a line feed. */
  void line(String text) throws IOException {
    text(text);
    buffered.write('\n');
  }

  /**
   * Prints a file name as its own bytes; on a terminal, where they would be obeyed, control
   * characters become {@code \x1b} and the like.
   */
  void name(FileName name) throws IOException {
    if (!terminal) {
      buffered.write(name.bytes());
      return;
    }
    for (byte b : name.bytes()) {
      if (b >= 0 && b < 0x20 || b == 0x7f) {
        text("\\x%02x".formatted(b));
      } else {
        buffered.write(b);
      }
    }
  }

  /** Returns the channel under it, with all that was printed so far gone before. */
  FileChannel channel() throws IOException {
    buffered.flush();
    return file.getChannel();
  }

  /** Hands everything printed so far to the system. */
  void flush() throws IOException {
    buffered.flush();
  }
}
