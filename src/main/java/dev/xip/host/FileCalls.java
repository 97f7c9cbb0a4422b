package dev.xip.host;

import dev.xip.base.FileName;
import dev.xip.bindings.Libc;
import dev.xip.bindings.statx;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.function.Supplier;

/**
 * The calls about files: open(2), close(2), memfd_create(2), statx(2), ftruncate(2), fsync(2),
 * lseek(2), pread(2), pwrite(2), fcntl(2). Arguments are taken as they are: callers have checked
 * them.
 */
final class FileCalls {
  private static final FileName NOTHING = FileName.of("");

  private FileCalls() {}

  /** A file name as the system takes it: its bytes and a NUL. */
  static MemorySegment bytes(FileName name, Arena arena) {
    MemorySegment bytes = arena.allocate(name.length() + 1L);
    bytes.copyFrom(MemorySegment.ofArray(name.bytes()));
    return bytes;
  }

  static int open(FileName path, int flags, int mode) throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = bytes(path, arena);
      return (int)
          Calls.call(
              "open",
              () -> "path=%s, flags=0x%x, mode=0%o".formatted(path, flags, mode),
              state -> (int) Open.HANDLE.invokeExact(state, bytes, flags, mode));
    }
  }

  /** Closes a descriptor. Errors are ignored: the descriptor is closed even then, close(2). */
  static void close(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      int ignored = (int) Close.HANDLE.invokeExact(Calls.allocateState(arena), fd);
    } catch (RuntimeException | Error failure) {
      throw failure;
    } catch (Throwable impossible) {
      throw new AssertionError(impossible);
    }
  }

  static int memfdCreate(String name, int flags) throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocateFrom(name);
      return (int)
          Calls.call(
              "memfd_create",
              () -> "name=%s, flags=0x%x".formatted(name, flags),
              state -> (int) MemfdCreate.HANDLE.invokeExact(state, bytes, flags));
    }
  }

  static HostStat statx(int fd, String file) throws HostException {
    return statx(fd, NOTHING, Libc.AT_EMPTY_PATH(), () -> "fd=%d %s".formatted(fd, file));
  }

  static HostStat statx(FileName path) throws HostException {
    return statx(Libc.AT_FDCWD(), path, 0, () -> "path=" + path);
  }

  /** Links are not followed. */
  static HostStat statxAt(int folder, String place, FileName name) throws HostException {
    return statx(
        folder, name, Libc.AT_SYMLINK_NOFOLLOW(), () -> "path=%s/%s".formatted(place, name));
  }

  private static HostStat statx(int fd, FileName path, int flags, Supplier<String> subject)
      throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = bytes(path, arena);
      MemorySegment struct = statx.allocate(arena);
      int mask = Libc.STATX_BASIC_STATS();
      Calls.call(
          "statx",
          () -> "%s, flags=0x%x, mask=0x%x".formatted(subject.get(), flags, mask),
          state -> (int) Statx.HANDLE.invokeExact(state, fd, bytes, flags, mask, struct));
      return HostStat.read(struct);
    }
  }

  static void ftruncate(int fd, String file, long bytes) throws HostException {
    Calls.call(
        "ftruncate",
        () -> "fd=%d %s, length=0x%x".formatted(fd, file, bytes),
        state -> (int) Ftruncate.HANDLE.invokeExact(state, fd, bytes));
  }

  static void fsync(int fd, String file) throws HostException {
    Calls.call(
        "fsync",
        () -> "fd=%d %s".formatted(fd, file),
        state -> (int) Fsync.HANDLE.invokeExact(state, fd));
  }

  static long lseek(int fd, String file, long offset, int whence) throws HostException {
    return Calls.call(
        "lseek",
        () -> "fd=%d %s, offset=0x%x, whence=%d".formatted(fd, file, offset, whence),
        state -> (long) Lseek.HANDLE.invokeExact(state, fd, offset, whence));
  }

  static long pread(int fd, String file, MemorySegment dst, long offset) throws HostException {
    return Calls.call(
        "pread",
        () -> "fd=%d %s, count=0x%x, offset=0x%x".formatted(fd, file, dst.byteSize(), offset),
        state -> (long) Pread.HANDLE.invokeExact(state, fd, dst, dst.byteSize(), offset));
  }

  static long pwrite(int fd, String file, MemorySegment src, long offset) throws HostException {
    return Calls.call(
        "pwrite",
        () -> "fd=%d %s, count=0x%x, offset=0x%x".formatted(fd, file, src.byteSize(), offset),
        state -> (long) Pwrite.HANDLE.invokeExact(state, fd, src, src.byteSize(), offset));
  }

  static void fcntl(int fd, String file, int command, MemorySegment struct) throws HostException {
    Calls.call(
        "fcntl",
        () -> "fd=%d %s, cmd=%d".formatted(fd, file, command),
        state -> (int) Fcntl.HANDLE.invokeExact(state, fd, command, struct));
  }

  static void fcntl(int fd, String file, int command, int value) throws HostException {
    Calls.call(
        "fcntl",
        () -> "fd=%d %s, cmd=%d, arg=0x%x".formatted(fd, file, command, value),
        state -> (int) FcntlInt.HANDLE.invokeExact(state, fd, command, value));
  }

  // One class per handle, so that each is linked when it is first used: that takes milliseconds.

  private static final class MemfdCreate {
    static final MethodHandle HANDLE =
        Calls.link(Libc.memfd_create$address(), Libc.memfd_create$descriptor());
  }

  private static final class Open {
    static final MethodHandle HANDLE =
        Calls.linkVariadic(
            Libc.open.address(),
            FunctionDescriptor.of(Libc.C_INT, Libc.C_POINTER, Libc.C_INT, Libc.C_INT),
            2);
  }

  private static final class Close {
    static final MethodHandle HANDLE = Calls.link(Libc.close$address(), Libc.close$descriptor());
  }

  private static final class Ftruncate {
    static final MethodHandle HANDLE =
        Calls.link(Libc.ftruncate$address(), Libc.ftruncate$descriptor());
  }

  private static final class Fsync {
    static final MethodHandle HANDLE = Calls.link(Libc.fsync$address(), Libc.fsync$descriptor());
  }

  private static final class Lseek {
    static final MethodHandle HANDLE = Calls.link(Libc.lseek$address(), Libc.lseek$descriptor());
  }

  private static final class Pread {
    static final MethodHandle HANDLE = Calls.link(Libc.pread$address(), Libc.pread$descriptor());
  }

  private static final class Pwrite {
    static final MethodHandle HANDLE = Calls.link(Libc.pwrite$address(), Libc.pwrite$descriptor());
  }

  private static final class Statx {
    static final MethodHandle HANDLE = Calls.link(Libc.statx$address(), Libc.statx$descriptor());
  }

  private static final class Fcntl {
    static final MethodHandle HANDLE =
        Calls.linkVariadic(
            Libc.fcntl.address(),
            FunctionDescriptor.of(Libc.C_INT, Libc.C_INT, Libc.C_INT, Libc.C_POINTER),
            2);
  }

  private static final class FcntlInt {
    static final MethodHandle HANDLE =
        Calls.linkVariadic(
            Libc.fcntl.address(),
            FunctionDescriptor.of(Libc.C_INT, Libc.C_INT, Libc.C_INT, Libc.C_INT),
            2);
  }
}
