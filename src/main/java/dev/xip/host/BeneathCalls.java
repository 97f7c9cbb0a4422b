package dev.xip.host;

import dev.xip.base.FileName;
import dev.xip.bindings.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.function.Supplier;

/**
 * The calls about a name in an open folder: openat(2), mkdirat(2), linkat(2), renameat2(2),
 * unlinkat(2), symlinkat(2), readlinkat(2), mknodat(2). Arguments are taken as they are: callers
 * have checked them. The folder is a descriptor and, for messages, its name.
 */
final class BeneathCalls {
  /** Linux's PATH_MAX, the longest target that a link can have. */
  private static final int LONGEST_TARGET = 4096;

  private BeneathCalls() {}

  static int open(OpenFolder folder, FileName name, int flags, int mode) throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = FileCalls.bytes(name, arena);
      int fd = folder.fd();
      return (int)
          Calls.call(
              "openat",
              () -> "path=%s, flags=0x%x, mode=0%o".formatted(folder.place(name), flags, mode),
              state -> (int) Openat.HANDLE.invokeExact(state, fd, bytes, flags, mode));
    }
  }

  static void mkdir(OpenFolder folder, FileName name, int mode) throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = FileCalls.bytes(name, arena);
      int fd = folder.fd();
      Calls.call(
          "mkdirat",
          () -> "path=%s, mode=0%o".formatted(folder.place(name), mode),
          state -> (int) Mkdirat.HANDLE.invokeExact(state, fd, bytes, mode));
    }
  }

  static void mknod(OpenFolder folder, FileName name, int mode, long device) throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = FileCalls.bytes(name, arena);
      int fd = folder.fd();
      Calls.call(
          "mknodat",
          () -> "path=%s, mode=0%o, dev=0x%x".formatted(folder.place(name), mode, device),
          state -> (int) Mknodat.HANDLE.invokeExact(state, fd, bytes, mode, device));
    }
  }

  static void symlink(FileName target, OpenFolder folder, FileName name) throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment to = FileCalls.bytes(target, arena);
      MemorySegment bytes = FileCalls.bytes(name, arena);
      int fd = folder.fd();
      Calls.call(
          "symlinkat",
          () -> "target=%s, path=%s".formatted(target, folder.place(name)),
          state -> (int) Symlinkat.HANDLE.invokeExact(state, to, fd, bytes));
    }
  }

  /** The name is in the folder {@code fd}, or empty if {@code fd} is the link itself (O_PATH). */
  static FileName readlink(int fd, FileName name, Supplier<String> place) throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = FileCalls.bytes(name, arena);
      MemorySegment into = arena.allocate(LONGEST_TARGET);
      long length =
          Calls.call(
              "readlinkat",
              () -> "path=" + place.get(),
              state ->
                  (long) Readlinkat.HANDLE.invokeExact(state, fd, bytes, into, into.byteSize()));
      byte[] target = into.toArray(ValueLayout.JAVA_BYTE);
      return FileName.of(Arrays.copyOf(target, (int) length));
    }
  }

  static void link(OpenFolder from, FileName old, OpenFolder to, FileName name)
      throws HostException {
    twoNames(from, old, to, name, "linkat", Linkat.HANDLE, 0);
  }

  static void rename(OpenFolder from, FileName old, OpenFolder to, FileName name, int flags)
      throws HostException {
    twoNames(from, old, to, name, "renameat2", Renameat2.HANDLE, flags);
  }

  private static void twoNames(
      OpenFolder from,
      FileName old,
      OpenFolder to,
      FileName name,
      String call,
      MethodHandle handle,
      int flags)
      throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = FileCalls.bytes(old, arena);
      MemorySegment target = FileCalls.bytes(name, arena);
      int fromFd = from.fd();
      int toFd = to.fd();
      Calls.call(
          call,
          () -> "from=%s, to=%s, flags=0x%x".formatted(from.place(old), to.place(name), flags),
          state -> (int) handle.invokeExact(state, fromFd, source, toFd, target, flags));
    }
  }

  static void unlink(OpenFolder folder, FileName name, int flags) throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = FileCalls.bytes(name, arena);
      int fd = folder.fd();
      Calls.call(
          "unlinkat",
          () -> "path=%s, flags=0x%x".formatted(folder.place(name), flags),
          state -> (int) Unlinkat.HANDLE.invokeExact(state, fd, bytes, flags));
    }
  }

  // One class per handle, so that each is linked when it is first used: that takes milliseconds.

  private static final class Openat {
    static final MethodHandle HANDLE =
        Calls.linkVariadic(
            Libc.openat.address(),
            FunctionDescriptor.of(Libc.C_INT, Libc.C_INT, Libc.C_POINTER, Libc.C_INT, Libc.C_INT),
            3);
  }

  private static final class Mkdirat {
    static final MethodHandle HANDLE =
        Calls.link(Libc.mkdirat$address(), Libc.mkdirat$descriptor());
  }

  private static final class Mknodat {
    static final MethodHandle HANDLE =
        Calls.link(Libc.mknodat$address(), Libc.mknodat$descriptor());
  }

  private static final class Symlinkat {
    static final MethodHandle HANDLE =
        Calls.link(Libc.symlinkat$address(), Libc.symlinkat$descriptor());
  }

  private static final class Readlinkat {
    static final MethodHandle HANDLE =
        Calls.link(Libc.readlinkat$address(), Libc.readlinkat$descriptor());
  }

  private static final class Linkat {
    static final MethodHandle HANDLE = Calls.link(Libc.linkat$address(), Libc.linkat$descriptor());
  }

  private static final class Renameat2 {
    static final MethodHandle HANDLE =
        Calls.link(Libc.renameat2$address(), Libc.renameat2$descriptor());
  }

  private static final class Unlinkat {
    static final MethodHandle HANDLE =
        Calls.link(Libc.unlinkat$address(), Libc.unlinkat$descriptor());
  }
}
