package dev.xip.host;

import dev.xip.base.FileName;
import dev.xip.bindings.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.function.Supplier;

/**
 * The calls about names in folders: link(2), rename(2), unlink(2), mkdir(2), getdents64(2).
 * Arguments are taken as they are: callers have checked them.
 */
final class FolderCalls {
  private FolderCalls() {}

  static void link(FileName from, FileName to) throws HostException {
    twoNames(Link.HANDLE, "link", from, to);
  }

  static void rename(FileName from, FileName to) throws HostException {
    twoNames(Rename.HANDLE, "rename", from, to);
  }

  private static void twoNames(MethodHandle handle, String call, FileName from, FileName to)
      throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = FileCalls.bytes(from, arena);
      MemorySegment target = FileCalls.bytes(to, arena);
      Supplier<String> arguments = () -> "from=%s, to=%s".formatted(from, to);
      Calls.call(call, arguments, state -> (int) handle.invokeExact(state, source, target));
    }
  }

  static void unlink(FileName path) throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = FileCalls.bytes(path, arena);
      Calls.call(
          "unlink", () -> "path=" + path, state -> (int) Unlink.HANDLE.invokeExact(state, bytes));
    }
  }

  static void mkdir(FileName path, int mode) throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = FileCalls.bytes(path, arena);
      Calls.call(
          "mkdir",
          () -> "path=%s, mode=0%o".formatted(path, mode),
          state -> (int) Mkdir.HANDLE.invokeExact(state, bytes, mode));
    }
  }

  /** Returns how many bytes of records came, 0 at the end. */
  static long getdents(int fd, String folder, MemorySegment into) throws HostException {
    return Calls.call(
        "getdents64",
        () -> "fd=%d %s, count=0x%x".formatted(fd, folder, into.byteSize()),
        state -> (long) Getdents.HANDLE.invokeExact(state, fd, into, into.byteSize()));
  }

  // One class per handle, so that each is linked when it is first used: that takes milliseconds.

  private static final class Link {
    static final MethodHandle HANDLE = Calls.link(Libc.link$address(), Libc.link$descriptor());
  }

  private static final class Rename {
    static final MethodHandle HANDLE = Calls.link(Libc.rename$address(), Libc.rename$descriptor());
  }

  private static final class Unlink {
    static final MethodHandle HANDLE = Calls.link(Libc.unlink$address(), Libc.unlink$descriptor());
  }

  private static final class Mkdir {
    static final MethodHandle HANDLE = Calls.link(Libc.mkdir$address(), Libc.mkdir$descriptor());
  }

  private static final class Getdents {
    static final MethodHandle HANDLE =
        Calls.link(Libc.getdents64$address(), Libc.getdents64$descriptor());
  }
}
