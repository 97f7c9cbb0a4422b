package dev.xip.hold;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.host.HostException;
import dev.xip.host.LocalSocket;
import dev.xip.host.OpenFolder;
import dev.xip.segment.SegmentException;
import dev.xip.segment.SharingMode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Serves the requests of other processes about the segment that this process holds. A request is
 * one line, as is its answer:
 *
 * <pre>
 *   modify SHARED        ok VERSION        the version that is loaded now
 *   modify EXCLUSIVE     ok VERSION
 *   save                 ok VERSION        the version that was made
 *   unload               ok VERSION        the version that was unloaded
 *                        failed MESSAGE    the message of the exception
 *                        busy              before the answer, once a second during the work
 * </pre>
 *
 * <p>One thread does the input and output of all connections, another performs the requests, one
 * after the other. Only processes of the same user and of root are served. A request whose sender
 * has disconnected is not performed.
 */
final class HoldServer implements AutoCloseable {
  /** With this many connections, a new one closes the one that has been silent longest. */
  private static final int MOST_CONNECTIONS = 16;

  private static final long SILENCE = TimeUnit.SECONDS.toNanos(10);
  private static final int BUSY_MILLIS = 1000;
  private static final long BUSY = TimeUnit.MILLISECONDS.toNanos(BUSY_MILLIS);
  private static final long PAUSE = TimeUnit.MILLISECONDS.toNanos(50);

  private final HeldSegment held;
  private final OpenFolder folder;
  private final LocalSocket server;
  private final Path file;
  private final FileName name;
  private final LocalSocket waker;
  private final LocalSocket woken;
  private final ExecutorService worker;

  /** The connections, oldest first. Used by the input-output thread alone. */
  private final List<Connection> connections = new ArrayList<>();

  private volatile Connection current;
  private volatile Thread working;

  /** When the work on a request last waited for another process. */
  private volatile long waited;

  private volatile boolean closed;

  /** A client. */
  private static final class Connection {
    final LocalSocket socket;
    final HoldLine line = new HoldLine();
    final long since = System.nanoTime();
    boolean asked;
    volatile boolean done;

    Connection(LocalSocket socket) {
      this.socket = socket;
    }
  }

  private HoldServer(HeldSegment held, OpenFolder folder, Path store) throws IOException {
    this.held = held;
    this.folder = folder;
    this.name = HoldSocket.file(held.name(), ProcessHandle.current().pid());
    this.file = store.resolve(name.toString());
    List<LocalSocket> pair = LocalSocket.pair();
    this.waker = pair.getFirst();
    this.woken = pair.getLast();
    try {
      this.server = HoldSocket.listen(folder, held.name()); // last, as it makes a file
    } catch (IOException | RuntimeException e) {
      pair.forEach(LocalSocket::close);
      throw e;
    }
    this.worker =
        Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("work of " + held.name()).factory());
  }

  /** Makes the socket and starts to serve. */
  static HoldServer open(HeldSegment held, Path store) throws IOException {
    OpenFolder folder = OpenFolder.open(store);
    try {
      HoldServer server = new HoldServer(held, folder, store);
      Thread.ofPlatform().daemon().name("holder of " + held.name()).start(server::communicate);
      return server;
    } catch (IOException | RuntimeException e) {
      folder.close();
      throw e;
    }
  }

  Path file() {
    return file;
  }

  /**
   * Whether this thread works on a request whose sender has disconnected. Polled during waits too.
   */
  boolean isAbandoned() {
    if (Thread.currentThread() != working) {
      return false;
    }
    waited = System.nanoTime();
    try {
      return current.socket.isAbandoned();
    } catch (HostException e) {
      return false;
    }
  }

  private void communicate() {
    while (!closed) {
      try {
        List<LocalSocket> ready = LocalSocket.ready(sockets(), pollMillis());
        for (Connection each : connections) {
          if (ready.contains(each.socket) && !each.asked) {
            receive(each);
          }
        }
        if (ready.contains(server)) {
          accept();
        }
        if (ready.contains(woken)) {
          woken.receive(64);
        }
        tellBusy();
        endSilent();
      } catch (HostException | RuntimeException e) {
        LockSupport.parkNanos(PAUSE); // the segment stays held even if the host refuses
      }
    }
    connections.forEach(each -> each.socket.close());
    List.of(server, woken, waker).forEach(LocalSocket::close);
    folder.close();
  }

  private List<LocalSocket> sockets() {
    List<LocalSocket> sockets = new ArrayList<>(List.of(server, woken));
    connections.stream().filter(each -> !each.asked).forEach(each -> sockets.add(each.socket));
    return sockets;
  }

  /** Without a connection the thread sleeps until one comes. */
  private int pollMillis() {
    return connections.isEmpty() ? Integer.MAX_VALUE : BUSY_MILLIS;
  }

  private void accept() {
    LocalSocket socket;
    try {
      socket = server.accept();
    } catch (HostException e) {
      if (HoldLine.isOutOfResources(e) && !closeMostSilent()) {
        LockSupport.parkNanos(PAUSE);
      }
      return;
    }
    try {
      LocalSocket.Peer peer = socket.peer();
      if (!HoldSocket.isTrusted(peer.uid())) {
        HoldLine.send(
            socket,
            "failed "
                + Errno.EPERM.message(
                    "segment %s: expected a request of the holder's user or root, found"
                        + " one of user %d",
                    held.name(), peer.uid()));
        socket.close();
        return;
      }
    } catch (IOException e) {
      socket.close();
      return;
    }
    if (connections.size() >= MOST_CONNECTIONS && !closeMostSilent()) {
      socket.close();
      return;
    }
    connections.add(new Connection(socket));
  }

  /** Closes the connection that has been silent longest; false if each has sent a request. */
  private boolean closeMostSilent() {
    for (Connection each : connections) {
      if (!each.asked) {
        each.socket.close();
        return connections.remove(each);
      }
    }
    return false;
  }

  private void receive(Connection from) throws HostException {
    from.line.receive(from.socket);
    if (from.line.isComplete() || from.line.isTooLong()) {
      from.asked = true;
      worker.execute(() -> serve(from));
    } else if (from.line.isEnded()) {
      from.asked = from.done = true;
    }
  }

  /**
   * Tells a client that its request is being worked on. Waiting for other processes does not count.
   */
  private void tellBusy() {
    Connection now = current;
    if (now != null && !now.done && System.nanoTime() - waited > BUSY) {
      try {
        HoldLine.send(now.socket, "busy");
      } catch (IOException e) {
        // Disconnected; the work stops when it polls isAbandoned.
      }
    }
  }

  private void endSilent() {
    long now = System.nanoTime();
    connections.removeIf(
        each -> {
          boolean ends = each.done || !each.asked && now - each.since > SILENCE;
          if (ends) {
            each.socket.close();
          }
          return ends;
        });
  }

  private void serve(Connection from) {
    working = Thread.currentThread();
    current = from;
    try {
      if (!from.socket.isAbandoned()) {
        waited = System.nanoTime();
        String answer = HoldLine.cut(answer(from.line));
        if (!held.isLoaded()) {
          HoldSocket.delete(
              folder, name); // before the answer, so that the client then finds no holder
        }
        HoldLine.send(from.socket, answer);
      }
    } catch (IOException e) {
      // The client has disconnected; its request is done.
    } finally {
      current = null;
      from.done = true;
      wake();
    }
    if (!held.isLoaded()) {
      held.end(); // last, as the process may end with it
    }
  }

  private String answer(HoldLine line) {
    String request = line.isTooLong() ? null : line.text();
    try {
      return "ok "
          + switch (request) {
            case "modify SHARED" -> held.modify(SharingMode.SHARED).version();
            case "modify EXCLUSIVE" -> held.modify(SharingMode.EXCLUSIVE).version();
            case "save" -> held.save().version();
            case "unload" -> held.unload().version();
            case null -> throw unknown("a line that is too long or not UTF-8");
            default -> throw unknown("'%s'".formatted(HoldLine.shown(request)));
          };
    } catch (SegmentException e) {
      return "failed " + HoldLine.shown(e.getMessage());
    } catch (RuntimeException e) {
      return "failed "
          + Errno.EIO.message("segment %s: %s", held.name(), HoldLine.shown(e.toString()));
    }
  }

  private SegmentException unknown(String found) {
    return new SegmentException(
        Errno.EINVAL,
        "segment " + held.name(),
        "modify SHARED, modify EXCLUSIVE, save or unload",
        found);
  }

  private void wake() {
    try {
      waker.send(new byte[1]);
    } catch (HostException e) {
      // It is awake.
    }
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      HoldSocket.delete(folder, name);
      closed = true;
      worker.shutdown();
      wake();
    }
  }
}
