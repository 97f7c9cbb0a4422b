package dev.xip.host;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.bindings.Libc;
import dev.xip.bindings.timespec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.time.Instant;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * The calls about attributes: fchmod(2), fchown(2), fchownat(2), futimens(3), utimensat(2) and
 * those of xattr(7). Arguments are taken as they are: callers have checked them.
 */
final class AttributeCalls {
  private static final MemorySegment NOTHING = MemorySegment.NULL;

  private AttributeCalls() {}

  static void fchmod(int fd, String file, int mode) throws HostException {
    Calls.call(
        "fchmod",
        () -> "fd=%d %s, mode=0%o".formatted(fd, file, mode),
        state -> (int) Fchmod.HANDLE.invokeExact(state, fd, mode));
  }

  static void fchown(int fd, String file, int uid, int gid) throws HostException {
    Calls.call(
        "fchown",
        () -> "fd=%d %s, uid=%d, gid=%d".formatted(fd, file, uid, gid),
        state -> (int) Fchown.HANDLE.invokeExact(state, fd, uid, gid));
  }

  /** Links are not followed. */
  static void fchownat(int folder, String place, FileName name, int uid, int gid)
      throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = FileCalls.bytes(name, arena);
      int flags = Libc.AT_SYMLINK_NOFOLLOW();
      Calls.call(
          "fchownat",
          () -> "path=%s/%s, uid=%d, gid=%d".formatted(place, name, uid, gid),
          state -> (int) Fchownat.HANDLE.invokeExact(state, folder, bytes, uid, gid, flags));
    }
  }

  static void futimens(int fd, String file, HostTimes times) throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment both = both(times, arena);
      Calls.call(
          "futimens",
          () -> "fd=%d %s, %s".formatted(fd, file, times),
          state -> (int) Futimens.HANDLE.invokeExact(state, fd, both));
    }
  }

  /** Links are not followed. */
  static void utimensat(int folder, String place, FileName name, HostTimes times)
      throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = FileCalls.bytes(name, arena);
      MemorySegment both = both(times, arena);
      int flags = Libc.AT_SYMLINK_NOFOLLOW();
      Calls.call(
          "utimensat",
          () -> "path=%s/%s, %s".formatted(place, name, times),
          state -> (int) Utimensat.HANDLE.invokeExact(state, folder, bytes, both, flags));
    }
  }

  private static MemorySegment both(HostTimes times, Arena arena) {
    MemorySegment both = timespec.allocateArray(2, arena);
    put(times.accessed(), timespec.asSlice(both, 0));
    put(times.modified(), timespec.asSlice(both, 1));
    return both;
  }

  private static void put(Instant time, MemorySegment struct) {
    timespec.tv_sec(struct, time == null ? 0 : time.getEpochSecond());
    timespec.tv_nsec(struct, time == null ? Libc.UTIME_OMIT() : time.getNano());
  }

  static SortedMap<FileName, byte[]> extendedAttributes(int fd, String file) throws HostException {
    return collect(
        "flistxattr",
        () -> "fd=%d %s".formatted(fd, file),
        (state, into) -> (long) Flistxattr.HANDLE.invokeExact(state, fd, into, into.byteSize()),
        name ->
            (state, into) ->
                (long) Fgetxattr.HANDLE.invokeExact(state, fd, name, into, into.byteSize()));
  }

  /** Links are not followed: a link has attributes of its own. */
  static SortedMap<FileName, byte[]> extendedAttributes(FileName path) throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = FileCalls.bytes(path, arena);
      return collect(
          "llistxattr",
          () -> "path=" + path,
          (state, into) ->
              (long) Llistxattr.HANDLE.invokeExact(state, bytes, into, into.byteSize()),
          name ->
              (state, into) ->
                  (long) Lgetxattr.HANDLE.invokeExact(state, bytes, name, into, into.byteSize()));
    }
  }

  /** A call that returns the size needed if it is given no memory, and else fills the memory. */
  private interface Filler {
    long fill(MemorySegment state, MemorySegment into) throws Throwable;
  }

  private interface ValueOf {
    Filler named(MemorySegment name);
  }

  private static SortedMap<FileName, byte[]> collect(
      String call, Supplier<String> subject, Filler list, ValueOf values) throws HostException {
    SortedMap<FileName, byte[]> found = new TreeMap<>();
    try (Arena arena = Arena.ofConfined()) {
      FileName all = FileName.of(filled(call, subject, list, arena));
      int start = 0;
      for (int i = 0; i < all.length(); i++) {
        if (all.at(i) == 0) {
          FileName name = all.part(start, i);
          start = i + 1;
          MemorySegment bytes = FileCalls.bytes(name, arena);
          Supplier<String> one = () -> subject.get() + ", name=" + name;
          try {
            found.put(name, filled("getxattr", one, values.named(bytes), arena));
          } catch (HostException e) {
            if (e.errno() != Errno.ENODATA) {
              throw e;
            }
            // It was removed meanwhile.
          }
        }
      }
      return found;
    } catch (HostException e) {
      if (e.errno() == Errno.EOPNOTSUPP) {
        return found;
      }
      throw e;
    }
  }

  private static byte[] filled(String call, Supplier<String> subject, Filler filler, Arena arena)
      throws HostException {
    while (true) {
      long wanted = Calls.call(call, subject, state -> filler.fill(state, NOTHING));
      if (wanted == 0) {
        return new byte[0];
      }
      MemorySegment into = arena.allocate(wanted);
      try {
        long bytes = Calls.call(call, subject, state -> filler.fill(state, into));
        return into.asSlice(0, bytes).toArray(ValueLayout.JAVA_BYTE);
      } catch (HostException e) {
        if (e.errno() != Errno.ERANGE) {
          throw e;
        }
        // It grew meanwhile.
      }
    }
  }

  static void setExtendedAttribute(int fd, String file, FileName name, byte[] value)
      throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = FileCalls.bytes(name, arena);
      MemorySegment content = content(value, arena);
      Calls.call(
          "fsetxattr",
          () -> "fd=%d %s, name=%s, size=0x%x".formatted(fd, file, name, value.length),
          state ->
              (int)
                  Fsetxattr.HANDLE.invokeExact(state, fd, bytes, content, (long) value.length, 0));
    }
  }

  /** Links are not followed: a link has attributes of its own. */
  static void setExtendedAttribute(FileName path, FileName name, byte[] value)
      throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment file = FileCalls.bytes(path, arena);
      MemorySegment bytes = FileCalls.bytes(name, arena);
      MemorySegment content = content(value, arena);
      Calls.call(
          "lsetxattr",
          () -> "path=%s, name=%s, size=0x%x".formatted(path, name, value.length),
          state ->
              (int)
                  Lsetxattr.HANDLE.invokeExact(
                      state, file, bytes, content, (long) value.length, 0));
    }
  }

  private static MemorySegment content(byte[] value, Arena arena) {
    return value.length == 0 ? NOTHING : arena.allocateFrom(ValueLayout.JAVA_BYTE, value);
  }

  // One class per handle, so that each is linked when it is first used: that takes milliseconds.

  private static final class Fchmod {
    static final MethodHandle HANDLE = Calls.link(Libc.fchmod$address(), Libc.fchmod$descriptor());
  }

  private static final class Fchown {
    static final MethodHandle HANDLE = Calls.link(Libc.fchown$address(), Libc.fchown$descriptor());
  }

  private static final class Fchownat {
    static final MethodHandle HANDLE =
        Calls.link(Libc.fchownat$address(), Libc.fchownat$descriptor());
  }

  private static final class Futimens {
    static final MethodHandle HANDLE =
        Calls.link(Libc.futimens$address(), Libc.futimens$descriptor());
  }

  private static final class Utimensat {
    static final MethodHandle HANDLE =
        Calls.link(Libc.utimensat$address(), Libc.utimensat$descriptor());
  }

  private static final class Flistxattr {
    static final MethodHandle HANDLE =
        Calls.link(Libc.flistxattr$address(), Libc.flistxattr$descriptor());
  }

  private static final class Fgetxattr {
    static final MethodHandle HANDLE =
        Calls.link(Libc.fgetxattr$address(), Libc.fgetxattr$descriptor());
  }

  private static final class Llistxattr {
    static final MethodHandle HANDLE =
        Calls.link(Libc.llistxattr$address(), Libc.llistxattr$descriptor());
  }

  private static final class Lgetxattr {
    static final MethodHandle HANDLE =
        Calls.link(Libc.lgetxattr$address(), Libc.lgetxattr$descriptor());
  }

  private static final class Fsetxattr {
    static final MethodHandle HANDLE =
        Calls.link(Libc.fsetxattr$address(), Libc.fsetxattr$descriptor());
  }

  private static final class Lsetxattr {
    static final MethodHandle HANDLE =
        Calls.link(Libc.lsetxattr$address(), Libc.lsetxattr$descriptor());
  }
}
