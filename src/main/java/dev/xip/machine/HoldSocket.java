package dev.xip.machine;

import dev.xip.host.OpenFolder;
import dev.xip.segment.SegmentName;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The sockets through which processes that hold a segment are talked to: {@code NAME.PID.hold} in
 * the store's folder, for their owner alone. A holder that was killed leaves its socket behind;
 * whoever finds that nobody answers deletes it.
 *
 * <p>The address of a socket has room for 107 bytes (unix(7)), and folders are deeper than that, so
 * a socket is named through the descriptor of its folder.
 */
final class HoldSocket {
  private static final String SUFFIX = ".hold";

  private static final Pattern FORM = Pattern.compile("[^.]{1,8}\\.([1-9][0-9]{0,17})\\.hold");

  /** Longer lines are cut: what follows says nothing to anybody. */
  private static final int LINE_BYTES = 4096;

  private HoldSocket() {}

  /** The file of one holder's socket. */
  static Path file(Path store, SegmentName name, long pid) {
    return store.resolve("%s.%d%s".formatted(name, pid, SUFFIX));
  }

  /**
   * Makes this process's socket for a segment. It takes its name when it can be talked to, so that
   * nobody takes it for one left behind.
   */
  static ServerSocketChannel listen(Path store, SegmentName name) throws IOException {
    Path file = file(store, name, ProcessHandle.current().pid());
    Path unnamed = file.resolveSibling(file.getFileName() + ".new");
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try (OpenFolder folder = OpenFolder.open(store)) {
      if (isAlive(store, file)) {
        throw new FileAlreadyExistsException(file.toString()); // this process holds it twice
      }
      Files.deleteIfExists(unnamed); // of a process that had the same number
      server.bind(address(folder, unnamed));
      Files.setPosixFilePermissions(unnamed, PosixFilePermissions.fromString("rw-------"));
      Files.move(unnamed, file, StandardCopyOption.ATOMIC_MOVE);
      return server;
    } catch (IOException | RuntimeException e) {
      server.close();
      Files.deleteIfExists(unnamed);
      throw e;
    }
  }

  /** Connects to a holder. */
  static SocketChannel connect(Path store, Path file) throws IOException {
    try (OpenFolder folder = OpenFolder.open(store)) {
      return SocketChannel.open(address(folder, file));
    }
  }

  /** Lists the processes that hold a segment and can be talked to, by number. */
  static List<Long> holders(Path store, SegmentName name) throws IOException {
    List<Long> pids = new ArrayList<>();
    for (Path file : files(store, name + ".*" + SUFFIX)) {
      if (isAlive(store, file)) {
        pids.add(Long.valueOf(FORM.matcher(file.getFileName().toString()).replaceFirst("$1")));
      } else {
        deleteLeftover(file);
      }
    }
    pids.sort(null);
    return pids;
  }

  /** Lists the sockets that dead holders of any segment left. */
  static List<Path> leftovers(Path store) throws IOException {
    return files(store, "*" + SUFFIX).stream().filter(file -> !isAlive(store, file)).toList();
  }

  private static List<Path> files(Path store, String pattern) throws IOException {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(store, pattern)) {
      for (Path file : files) {
        if (FORM.matcher(file.getFileName().toString()).matches()) {
          found.add(file);
        }
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    return found;
  }

  private static boolean isAlive(Path store, Path file) {
    try (SocketChannel _ = connect(store, file)) {
      return true;
    } catch (ConnectException e) {
      return false;
    } catch (IOException e) {
      return Files.exists(file); // somebody else's
    }
  }

  private static void deleteLeftover(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      // The next one who may write there does it.
    }
  }

  /** Sends a line. */
  static void send(SocketChannel channel, String line) throws IOException {
    ByteBuffer bytes = StandardCharsets.UTF_8.encode(line + "\n");
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /**
   * Receives a line.
   *
   * @return the line without its end; null if the other side ended before it
   */
  static String receive(SocketChannel channel) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    ByteBuffer one = ByteBuffer.allocate(1);
    while (line.size() < LINE_BYTES) {
      if (channel.read(one.clear()) < 0) {
        return null;
      }
      if (one.get(0) == '\n') {
        break;
      }
      line.write(one.get(0));
    }
    return line.toString(StandardCharsets.UTF_8);
  }

  private static UnixDomainSocketAddress address(OpenFolder folder, Path file) {
    return UnixDomainSocketAddress.of(folder.descriptorPath().resolve(file.getFileName()));
  }
}
