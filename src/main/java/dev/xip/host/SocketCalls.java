package dev.xip.host;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.bindings.Libc;
import dev.xip.bindings.sockaddr_un;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** The calls about sockets, unix(7), none of which waits but poll(2). */
final class SocketCalls {
  private static final int KIND = Libc.SOCK_STREAM() | Libc.SOCK_CLOEXEC() | Libc.SOCK_NONBLOCK();

  private SocketCalls() {}

  static int socket() throws HostException {
    return (int)
        Calls.call(
            "socket",
            () -> "AF_UNIX",
            state -> (int) Socket.HANDLE.invokeExact(state, Libc.AF_UNIX(), KIND, 0));
  }

  static int[] pair() throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment both = arena.allocate(ValueLayout.JAVA_INT, 2);
      Calls.call(
          "socketpair",
          () -> "AF_UNIX",
          state -> (int) Socketpair.HANDLE.invokeExact(state, Libc.AF_UNIX(), KIND, 0, both));
      return both.toArray(ValueLayout.JAVA_INT);
    }
  }

  static void bind(int fd, OpenFolder folder, FileName name) throws HostException {
    named(Bind.HANDLE, "bind", fd, folder, name);
  }

  static void connect(int fd, OpenFolder folder, FileName name) throws HostException {
    named(Connect.HANDLE, "connect", fd, folder, name);
  }

  /** sun_path holds 107 bytes, so the path leads through the folder's descriptor. */
  private static void named(
      MethodHandle handle, String call, int fd, OpenFolder folder, FileName name)
      throws HostException {
    byte[] path = folder.path(name).bytes();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = sockaddr_un.allocate(arena);
      MemorySegment room = sockaddr_un.sun_path(address);
      if (path.length >= room.byteSize()) {
        throw new HostException(call, "path=" + folder.place(name), Errno.ENAMETOOLONG);
      }
      sockaddr_un.sun_family(address, (short) Libc.AF_UNIX());
      MemorySegment.copy(path, 0, room, ValueLayout.JAVA_BYTE, 0, path.length);
      int length = (int) address.byteSize();
      Calls.call(
          call,
          () -> "path=" + folder.place(name),
          state -> (int) handle.invokeExact(state, fd, address, length));
    }
  }

  static void listen(int fd, String name, int backlog) throws HostException {
    Calls.call(
        "listen",
        () -> "fd=%d %s, backlog=%d".formatted(fd, name, backlog),
        state -> (int) Listen.HANDLE.invokeExact(state, fd, backlog));
  }

  static int accept(int fd, String name) throws HostException {
    int accepted =
        (int)
            Calls.call(
                "accept",
                () -> "fd=%d %s".formatted(fd, name),
                state ->
                    (int)
                        Accept.HANDLE.invokeExact(
                            state, fd, MemorySegment.NULL, MemorySegment.NULL));
    FileCalls.fcntl(accepted, name, Libc.F_SETFD(), Libc.FD_CLOEXEC());
    return accepted;
  }

  static long receive(int fd, String name, MemorySegment into) throws HostException {
    return Calls.call(
        "recv",
        () -> "fd=%d %s".formatted(fd, name),
        state ->
            (long) Recv.HANDLE.invokeExact(state, fd, into, into.byteSize(), Libc.MSG_DONTWAIT()));
  }

  static long send(int fd, String name, MemorySegment bytes) throws HostException {
    int flags = Libc.MSG_DONTWAIT() | Libc.MSG_NOSIGNAL();
    return Calls.call(
        "send",
        () -> "fd=%d %s, count=0x%x".formatted(fd, name, bytes.byteSize()),
        state -> (long) Send.HANDLE.invokeExact(state, fd, bytes, bytes.byteSize(), flags));
  }

  static void option(int fd, String name, int option, MemorySegment value) throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, (int) value.byteSize());
      Calls.call(
          "getsockopt",
          () -> "fd=%d %s, option=%d".formatted(fd, name, option),
          state ->
              (int)
                  Getsockopt.HANDLE.invokeExact(
                      state, fd, Libc.SOL_SOCKET(), option, value, length));
    }
  }

  /** Waits for events; returns the number of descriptors that have any. */
  static int poll(MemorySegment all, long count, int millis) throws HostException {
    return (int)
        Calls.call(
            "poll",
            () -> "count=%d, timeout=%d".formatted(count, millis),
            state -> (int) Poll.HANDLE.invokeExact(state, all, count, millis));
  }

  private static MethodHandle link(MemorySegment address, FunctionDescriptor descriptor) {
    return Calls.link(address, descriptor);
  }

  // One class per handle, so that each is linked when it is first used: that takes milliseconds.

  private static final class Socket {
    static final MethodHandle HANDLE = link(Libc.socket$address(), Libc.socket$descriptor());
  }

  private static final class Socketpair {
    static final MethodHandle HANDLE =
        link(Libc.socketpair$address(), Libc.socketpair$descriptor());
  }

  private static final class Bind {
    static final MethodHandle HANDLE = link(Libc.bind$address(), Libc.bind$descriptor());
  }

  private static final class Connect {
    static final MethodHandle HANDLE = link(Libc.connect$address(), Libc.connect$descriptor());
  }

  private static final class Listen {
    static final MethodHandle HANDLE = link(Libc.listen$address(), Libc.listen$descriptor());
  }

  private static final class Accept {
    static final MethodHandle HANDLE = link(Libc.accept$address(), Libc.accept$descriptor());
  }

  private static final class Recv {
    static final MethodHandle HANDLE = link(Libc.recv$address(), Libc.recv$descriptor());
  }

  private static final class Send {
    static final MethodHandle HANDLE = link(Libc.send$address(), Libc.send$descriptor());
  }

  private static final class Getsockopt {
    static final MethodHandle HANDLE =
        link(Libc.getsockopt$address(), Libc.getsockopt$descriptor());
  }

  private static final class Poll {
    static final MethodHandle HANDLE = link(Libc.poll$address(), Libc.poll$descriptor());
  }
}
