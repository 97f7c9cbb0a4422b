package dev.xip.cli;

import dev.xip.base.FileName;
import dev.xip.host.HostPaths;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * Standard output, or what a command writes to in its place, as bytes. Unlike {@link System#out} it
 * throws if a write fails. The caller flushes after printing.
 */
final class Output {
  private static final int TYPE = 0170000;
  private static final int CHARACTER_DEVICE = 0020000;
  private static final int BLOCK_DEVICE = 0060000;
  private static final int REGULAR = 0100000;

  /** The major number of /dev/null, /dev/full and the like. */
  private static final int MEMORY_DEVICES = 1;

  private final OutputStream file;
  private final OutputStream buffered;
  private final Target target;
  private final String name;
  private final boolean terminal;

  /** The identity of a file: type, device and inode, and the device number of a node. */
  private record Target(int mode, long device, long inode, long node) {
    private static final Target NONE = new Target(0, 0, 0, 0);

    static Target ofDescriptor(int number) {
      return of(Path.of("/proc/self/fd/" + number));
    }

    static Target of(Path path) {
      try {
        Map<String, Object> found = Files.readAttributes(path, "unix:mode,dev,ino,rdev");
        return new Target(
            (int) found.get("mode"),
            (long) found.get("dev"),
            (long) found.get("ino"),
            (long) found.get("rdev"));
      } catch (IOException e) {
        return NONE;
      }
    }

    boolean is(int type) {
      return (mode & TYPE) == type;
    }

    /** {@return whether it is a character device, which may obey characters, not /dev/null etc.} */
    boolean isTerminal() {
      return is(CHARACTER_DEVICE) && (node >>> 8 & 0xfff) != MEMORY_DEVICES;
    }

    boolean isSameFile(Target other) {
      return is(REGULAR) && other.is(REGULAR)
          ? device == other.device && inode == other.inode
          : is(BLOCK_DEVICE) && other.is(BLOCK_DEVICE) && node == other.node;
    }
  }

  /** Standard output. */
  Output() {
    this(new FileOutputStream(FileDescriptor.out), Target.ofDescriptor(1), "standard output");
  }

  private Output(OutputStream file, Target target, String name) {
    this.file = file;
    this.buffered = new BufferedOutputStream(file, 1 << 16);
    this.target = target;
    this.name = name;
    this.terminal = target.isTerminal();
  }

  /** Standard error. */
  static Output ofErrors() {
    return new Output(
        new FileOutputStream(FileDescriptor.err), Target.ofDescriptor(2), "standard error");
  }

  /** A file, which is made, or emptied if it exists. */
  static Output into(Path path) throws IOException {
    return new Output(Files.newOutputStream(path), Target.of(path), HostPaths.text(path));
  }

  /**
   * {@return whether a descriptor of this process is a terminal}
   *
   * @param descriptor 1 for standard output, 2 for standard error
   */
  static boolean isTerminal(int descriptor) {
    return Target.ofDescriptor(descriptor).isTerminal();
  }

  /** {@return whether it goes to a terminal} */
  boolean isTerminal() {
    return terminal;
  }

  /** {@return whether it goes to a device, such as a terminal or {@code /dev/null}} */
  boolean isDevice() {
    return target.is(CHARACTER_DEVICE) || target.is(BLOCK_DEVICE);
  }

  /** {@return whether it goes to the given file or block device} */
  boolean isInto(Path input) {
    return target.isSameFile(Target.of(input));
  }

  /** Prints text, which may be several lines. */
  void text(String text) throws IOException {
    if (!terminal) {
      write(Printable.bytes(text));
      return;
    }
    int start = 0;
    for (int end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      line(text.substring(start, end));
      start = end + 1;
    }
    write(Printable.bytes(Printable.onTerminal(text.substring(start))));
  }

  /** Prints text and a line feed. */
  void line(String text) throws IOException {
    write(Printable.bytes(terminal ? Printable.onTerminal(text) : text));
    write('\n');
  }

  /** Prints a file name: its bytes, or escaped for a terminal. */
  void name(FileName name) throws IOException {
    write(terminal ? Printable.bytes(Printable.onTerminal(name.exactText())) : name.bytes());
  }

  /** Prints help, whose control characters a terminal may obey. */
  void help(String text) throws IOException {
    write(Printable.bytes(text));
  }

  /** Writes everything printed so far and returns the channel of standard output. */
  FileChannel channel() throws IOException {
    flush();
    return ((FileOutputStream) file).getChannel();
  }

  /** Writes everything printed so far. */
  void flush() throws IOException {
    try {
      buffered.flush();
    } catch (IOException e) {
      throw named(e);
    }
  }

  private void write(byte[] bytes) throws IOException {
    try {
      buffered.write(bytes);
    } catch (IOException e) {
      throw named(e);
    }
  }

  private void write(char one) throws IOException {
    try {
      buffered.write(one);
    } catch (IOException e) {
      throw named(e);
    }
  }

  /** Adds the name of the file, which the error of a write lacks. */
  IOException named(IOException e) {
    boolean says = e.getClass() != IOException.class || Failure.isClosedPipe(e);
    return says ? e : new IOException(name + ": " + e.getMessage(), e);
  }
}
