package dev.xip.host;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.xip.bindings.Libc;
import dev.xip.bindings.statx;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Supplier;

/**
 * The system calls, each with errno captured right behind it, and the one door from a return code
 * to a {@link HostException}. Arguments are taken as they are: callers have checked them.
 */
final class Calls {
  /** How the JVM turns file names into bytes, which need not be UTF-8. */
  private static final Charset FILE_NAMES =
      Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"), StandardCharsets.UTF_8);

  private static final StructLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO = STATE.varHandle(PathElement.groupElement("errno"));

  // Name, man page and prototype of each are at the generated accessors of Libc.
  private static final MethodHandle MMAP = link(Libc.mmap$address(), Libc.mmap$descriptor());
  private static final MethodHandle MUNMAP = link(Libc.munmap$address(), Libc.munmap$descriptor());
  private static final MethodHandle MPROTECT =
      link(Libc.mprotect$address(), Libc.mprotect$descriptor());
  private static final MethodHandle MADVISE =
      link(Libc.madvise$address(), Libc.madvise$descriptor());
  private static final MethodHandle MREMAP =
      linkVariadic(Libc.mremap.address(), Libc.mremap.makeInvoker(Libc.C_POINTER).descriptor(), 4);
  private static final MethodHandle MEMFD_CREATE =
      link(Libc.memfd_create$address(), Libc.memfd_create$descriptor());
  private static final MethodHandle OPEN =
      linkVariadic(Libc.open.address(), Libc.open.makeInvoker(JAVA_INT).descriptor(), 2);
  private static final MethodHandle CLOSE = link(Libc.close$address(), Libc.close$descriptor());
  private static final MethodHandle FTRUNCATE =
      link(Libc.ftruncate$address(), Libc.ftruncate$descriptor());
  private static final MethodHandle FSYNC = link(Libc.fsync$address(), Libc.fsync$descriptor());
  private static final MethodHandle PREAD = link(Libc.pread$address(), Libc.pread$descriptor());
  private static final MethodHandle PWRITE = link(Libc.pwrite$address(), Libc.pwrite$descriptor());
  private static final MethodHandle STATX = link(Libc.statx$address(), Libc.statx$descriptor());
  private static final MethodHandle FCNTL =
      linkVariadic(Libc.fcntl.address(), Libc.fcntl.makeInvoker(Libc.C_POINTER).descriptor(), 2);
  private static final MethodHandle FCNTL_INT =
      linkVariadic(Libc.fcntl.address(), Libc.fcntl.makeInvoker(JAVA_INT).descriptor(), 2);

  private Calls() {}

  /** One invocation of a handle with the memory that errno goes to. */
  private interface Invocation {
    long run(MemorySegment state) throws Throwable;
  }

  static long mmap(long addr, long length, int prot, int flags, int fd, String file, long offset)
      throws HostException {
    return call(
        "mmap",
        () ->
            "addr=0x%x, length=0x%x, prot=0x%x, flags=0x%x, fd=%s, offset=0x%x"
                .formatted(addr, length, prot, flags, (fd + " " + file).strip(), offset),
        state ->
            ((MemorySegment)
                    MMAP.invokeExact(
                        state, MemorySegment.ofAddress(addr), length, prot, flags, fd, offset))
                .address());
  }

  static void munmap(long addr, long length) throws HostException {
    call(
        "munmap",
        () -> "addr=0x%x, length=0x%x".formatted(addr, length),
        state -> (int) MUNMAP.invokeExact(state, MemorySegment.ofAddress(addr), length));
  }

  /** Moves a mapping onto another range, mremap(2) with MREMAP_MAYMOVE and MREMAP_FIXED. */
  static void move(long from, long length, long to) throws HostException {
    int flags = Libc.MREMAP_MAYMOVE() | Libc.MREMAP_FIXED();
    call(
        "mremap",
        () ->
            "old_address=0x%x, old_size=0x%x, new_size=0x%x, flags=0x%x, new_address=0x%x"
                .formatted(from, length, length, flags, to),
        state ->
            ((MemorySegment)
                    MREMAP.invokeExact(
                        state,
                        MemorySegment.ofAddress(from),
                        length,
                        length,
                        flags,
                        MemorySegment.ofAddress(to)))
                .address());
  }

  static void mprotect(long addr, long length, int prot) throws HostException {
    call(
        "mprotect",
        () -> "addr=0x%x, length=0x%x, prot=0x%x".formatted(addr, length, prot),
        state -> (int) MPROTECT.invokeExact(state, MemorySegment.ofAddress(addr), length, prot));
  }

  static void madvise(long addr, long length, Advice advice) throws HostException {
    call(
        "madvise",
        () -> "addr=0x%x, length=0x%x, advice=%s".formatted(addr, length, advice),
        state ->
            (int)
                MADVISE.invokeExact(state, MemorySegment.ofAddress(addr), length, advice.number()));
  }

  static int memfdCreate(String name, int flags) throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocateFrom(name);
      return (int)
          call(
              "memfd_create",
              () -> "name=%s, flags=0x%x".formatted(name, flags),
              state -> (int) MEMFD_CREATE.invokeExact(state, bytes, flags));
    }
  }

  static int open(String path, int flags, int mode) throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocateFrom(path, FILE_NAMES);
      return (int)
          call(
              "open",
              () -> "path=%s, flags=0x%x, mode=0%o".formatted(path, flags, mode),
              state -> (int) OPEN.invokeExact(state, bytes, flags, mode));
    }
  }

  /** Closes a descriptor. Whatever it returns, the descriptor is gone: see close(2). */
  static void close(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      int ignored = (int) CLOSE.invokeExact(arena.allocate(STATE), fd);
    } catch (RuntimeException | Error failure) {
      throw failure;
    } catch (Throwable impossible) {
      throw new AssertionError(impossible);
    }
  }

  static void ftruncate(int fd, String file, long bytes) throws HostException {
    call(
        "ftruncate",
        () -> "fd=%d %s, length=0x%x".formatted(fd, file, bytes),
        state -> (int) FTRUNCATE.invokeExact(state, fd, bytes));
  }

  static void fsync(int fd, String file) throws HostException {
    call(
        "fsync", () -> "fd=%d %s".formatted(fd, file), state -> (int) FSYNC.invokeExact(state, fd));
  }

  static long pread(int fd, String file, MemorySegment dst, long offset) throws HostException {
    return call(
        "pread",
        () -> "fd=%d %s, count=0x%x, offset=0x%x".formatted(fd, file, dst.byteSize(), offset),
        state -> (long) PREAD.invokeExact(state, fd, dst, dst.byteSize(), offset));
  }

  static long pwrite(int fd, String file, MemorySegment src, long offset) throws HostException {
    return call(
        "pwrite",
        () -> "fd=%d %s, count=0x%x, offset=0x%x".formatted(fd, file, src.byteSize(), offset),
        state -> (long) PWRITE.invokeExact(state, fd, src, src.byteSize(), offset));
  }

  static HostStat statx(int fd, String file) throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment path = arena.allocateFrom("");
      MemorySegment struct = statx.allocate(arena);
      int flags = Libc.AT_EMPTY_PATH();
      int mask = Libc.STATX_BASIC_STATS();
      call(
          "statx",
          () -> "fd=%d %s, flags=0x%x, mask=0x%x".formatted(fd, file, flags, mask),
          state -> (int) STATX.invokeExact(state, fd, path, flags, mask, struct));
      return HostStat.read(struct);
    }
  }

  static void fcntl(int fd, String file, int command, MemorySegment struct) throws HostException {
    call(
        "fcntl",
        () -> "fd=%d %s, cmd=%d".formatted(fd, file, command),
        state -> (int) FCNTL.invokeExact(state, fd, command, struct));
  }

  static void fcntl(int fd, String file, int command, int value) throws HostException {
    call(
        "fcntl",
        () -> "fd=%d %s, cmd=%d, arg=0x%x".formatted(fd, file, command, value),
        state -> (int) FCNTL_INT.invokeExact(state, fd, command, value));
  }

  /**
   * Runs a call until no signal interrupts it, and turns -1 into an exception. All calls here tell
   * failure by -1, mmap and mremap by an address of that value.
   */
  private static long call(String name, Supplier<String> arguments, Invocation body)
      throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      while (true) {
        long result = body.run(state);
        if (result != -1) {
          return result;
        }
        int number = (int) ERRNO.get(state, 0L);
        if (number != Libc.EINTR()) {
          throw new HostException(name, arguments.get(), number);
        }
      }
    } catch (HostException | RuntimeException | Error failure) {
      throw failure;
    } catch (Throwable impossible) {
      throw new AssertionError(impossible);
    }
  }

  private static MethodHandle linkVariadic(
      MemorySegment address, FunctionDescriptor descriptor, int fixedArguments) {
    return link(address, descriptor, Linker.Option.firstVariadicArg(fixedArguments));
  }

  @SuppressWarnings("restricted")
  private static MethodHandle link(
      MemorySegment address, FunctionDescriptor descriptor, Linker.Option... more) {
    Linker.Option[] options = Arrays.copyOf(more, more.length + 1);
    options[more.length] = Linker.Option.captureCallState("errno");
    return Linker.nativeLinker().downcallHandle(address, descriptor, options);
  }
}
