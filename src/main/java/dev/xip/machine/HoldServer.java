package dev.xip.machine;

import dev.xip.host.Errno;
import dev.xip.segment.SegmentException;
import dev.xip.segment.SharingMode;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Does for others what they ask of the segment that this process holds. A request is one line, as
 * is its answer:
 *
 * <pre>
 *   modify SHARED        ok VERSION        the version that is loaded now
 *   modify EXCLUSIVE     ok VERSION
 *   save                 ok VERSION        the version that was made
 *   unload               ok VERSION        the version that was left
 *                        failed MESSAGE    what an exception would have said
 * </pre>
 */
final class HoldServer implements AutoCloseable {
  private final HeldSegment held;
  private final ServerSocketChannel server;
  private final Path file;

  private HoldServer(HeldSegment held, ServerSocketChannel server, Path file) {
    this.held = held;
    this.server = server;
    this.file = file;
  }

  /** Starts to answer. */
  static HoldServer open(HeldSegment held, Path store) throws IOException {
    ServerSocketChannel channel = HoldSocket.listen(store, held.name());
    Path file = HoldSocket.file(store, held.name(), ProcessHandle.current().pid());
    HoldServer server = new HoldServer(held, channel, file);
    Thread.ofPlatform().daemon().name("holder of " + held.name()).start(server::accept);
    return server;
  }

  Path file() {
    return file;
  }

  private void accept() {
    try {
      while (true) {
        SocketChannel client = server.accept();
        Thread.ofVirtual().start(() -> serve(client));
      }
    } catch (ClosedChannelException e) {
      // The segment is held no longer.
    } catch (IOException e) {
      held.fail(e);
    }
  }

  private void serve(SocketChannel client) {
    try (client) {
      String request = HoldSocket.receive(client);
      if (request != null) {
        String answer = answer(request);
        if (!held.isLoaded()) {
          close(); // whoever has the answer finds no holder any more
        }
        HoldSocket.send(client, answer);
      }
    } catch (IOException e) {
      // Whoever asked has gone; what they asked for is done.
    }
    if (!held.isLoaded()) {
      held.end(); // last, as the process may end with it
    }
  }

  private String answer(String request) {
    try {
      return "ok "
          + switch (request) {
            case "modify SHARED" -> held.modify(SharingMode.SHARED).version();
            case "modify EXCLUSIVE" -> held.modify(SharingMode.EXCLUSIVE).version();
            case "save" -> held.save().version();
            case "unload" -> held.unload().version();
            default ->
                throw new SegmentException(
                    Errno.EINVAL,
                    "segment " + held.name(),
                    "modify SHARED, modify EXCLUSIVE, save or unload",
                    "'%s'".formatted(request));
          };
    } catch (SegmentException e) {
      return "failed " + e.getMessage().replace('\n', ' ');
    }
  }

  @Override
  public void close() throws IOException {
    try {
      Files.deleteIfExists(file);
    } finally {
      server.close();
    }
  }
}
