package dev.xip.host;

import dev.xip.base.AtomicContext;
import dev.xip.base.FileName;
import dev.xip.bindings.Libc;
import dev.xip.bindings.pollfd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * A socket between processes of one host, unix(7): one that listens under a name in a folder, or
 * one end of a connection. No call waits but {@link #ready}. All methods may be called from any
 * thread. Precondition of {@link #close}: no other call is running.
 */
public final class LocalSocket implements AutoCloseable {
  /** Mode 0600: for its owner alone. */
  private static final int PRIVATE = 0600;

  private final int fd;
  private final String name;
  private boolean closed;

  private LocalSocket(int fd, String name) {
    this.fd = fd;
    this.name = name;
  }

  /**
   * The process that made the other end.
   *
   * @param pid its process, 0 if that is not visible from here
   * @param uid its effective user, as the kernel recorded it
   */
  public record Peer(int pid, int uid) {}

  /**
   * Makes a socket that listens. It has mode 0600 from the moment it has a name.
   *
   * @param folder where its name is to be
   * @param name the name, which nothing has
   * @param backlog how many connections may wait to be accepted
   * @return the socket
   * @throws HostException if the name is taken (number EADDRINUSE) or the system refuses
   */
  public static LocalSocket listen(OpenFolder folder, FileName name, int backlog)
      throws HostException {
    LocalSocket socket = new LocalSocket(SocketCalls.socket(), folder.place(name));
    try {
      // The name inherits the mode of the unnamed socket.
      AttributeCalls.fchmod(socket.fd, socket.name, PRIVATE);
      SocketCalls.bind(socket.fd, folder, name);
      SocketCalls.listen(socket.fd, socket.name, backlog);
      return socket;
    } catch (HostException e) {
      socket.close();
      throw e;
    }
  }

  /**
   * Connects to a socket that listens.
   *
   * @param folder where its name is
   * @param name its name
   * @return the connection
   * @throws HostException ECONNREFUSED if no process listens, EAGAIN if too many wait already,
   *     ENOENT if nothing has the name, EACCES if the caller may not
   */
  public static LocalSocket connect(OpenFolder folder, FileName name) throws HostException {
    LocalSocket socket = new LocalSocket(SocketCalls.socket(), folder.place(name));
    try {
      SocketCalls.connect(socket.fd, folder, name);
      return socket;
    } catch (HostException e) {
      socket.close();
      throw e;
    }
  }

  /**
   * Makes two sockets that are connected.
   *
   * @return both ends
   * @throws HostException if there is no descriptor left (EMFILE)
   */
  public static List<LocalSocket> pair() throws HostException {
    int[] both = SocketCalls.pair();
    return List.of(new LocalSocket(both[0], "pair"), new LocalSocket(both[1], "pair"));
  }

  /**
   * Accepts a connection.
   *
   * @return the connection
   * @throws HostException EAGAIN if none waits, EMFILE or ENFILE if there is no descriptor left
   */
  public LocalSocket accept() throws HostException {
    return new LocalSocket(SocketCalls.accept(fd, name), name);
  }

  /**
   * Returns the process that made the other end, SO_PEERCRED.
   *
   * @return its process and user when it was made
   * @throws HostException if the system refuses
   */
  public Peer peer() throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment found = arena.allocate(ValueLayout.JAVA_INT, 3); // pid, uid, gid
      SocketCalls.option(fd, name, Libc.SO_PEERCRED(), found);
      return new Peer(
          found.getAtIndex(ValueLayout.JAVA_INT, 0), found.getAtIndex(ValueLayout.JAVA_INT, 1));
    }
  }

  /**
   * Receives the available bytes.
   *
   * @param most how many bytes at most
   * @return the bytes; none if the other side has ended
   * @throws HostException EAGAIN if there is nothing yet, ECONNRESET if the other side has closed
   *     with bytes unread
   */
  public byte[] receive(int most) throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment into = arena.allocate(most);
      long length = SocketCalls.receive(fd, name, into);
      return into.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /**
   * Sends as many bytes as there is room for.
   *
   * @param bytes the bytes
   * @return how many were sent
   * @throws HostException EAGAIN if there is no room, EPIPE if the other side has ended
   */
  public int send(byte[] bytes) throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment from = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
      return (int) SocketCalls.send(fd, name, from);
    }
  }

  /**
   * Tells whether the other side has closed its end, not merely shut down sending (POLLHUP).
   *
   * @return false as long as it can receive
   * @throws HostException if the system refuses
   */
  public boolean isAbandoned() throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment asked = pollfd.allocate(arena);
      pollfd.fd(asked, fd);
      return SocketCalls.poll(asked, 1, 0) > 0 && (pollfd.revents(asked) & Libc.POLLHUP()) != 0;
    }
  }

  /**
   * Waits until something can be received or accepted.
   *
   * @param sockets those to look at
   * @param millis the longest wait in milliseconds, at least 0
   * @return those with something to receive or accept, or whose other side has ended
   * @throws HostException if the system refuses
   */
  public static List<LocalSocket> ready(List<LocalSocket> sockets, int millis)
      throws HostException {
    AtomicContext.mightSleep("poll");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment all = pollfd.allocateArray(sockets.size(), arena);
      for (int i = 0; i < sockets.size(); i++) {
        MemorySegment each = pollfd.asSlice(all, i);
        pollfd.fd(each, sockets.get(i).fd);
        pollfd.events(each, (short) Libc.POLLIN());
      }
      SocketCalls.poll(all, sockets.size(), millis);
      List<LocalSocket> ready = new ArrayList<>();
      for (int i = 0; i < sockets.size(); i++) {
        if (pollfd.revents(pollfd.asSlice(all, i)) != 0) {
          ready.add(sockets.get(i));
        }
      }
      return ready;
    }
  }

  /** Closes the descriptor; a second time does nothing. The name stays. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      FileCalls.close(fd);
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
