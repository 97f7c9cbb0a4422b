package dev.xip.host;

import dev.xip.bindings.Libc;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The calls about memory: mmap(2), munmap(2), mremap(2), mprotect(2), madvise(2). Arguments are
 * taken as they are: callers have checked them.
 */
final class MemoryCalls {
  private MemoryCalls() {}

  static long mmap(long addr, long length, int prot, int flags, int fd, String file, long offset)
      throws HostException {
    return Calls.call(
        "mmap",
        () ->
            "addr=0x%x, length=0x%x, prot=0x%x, flags=0x%x, fd=%s, offset=0x%x"
                .formatted(addr, length, prot, flags, (fd + " " + file).strip(), offset),
        state ->
            ((MemorySegment)
                    Mmap.HANDLE.invokeExact(
                        state, MemorySegment.ofAddress(addr), length, prot, flags, fd, offset))
                .address());
  }

  static void munmap(long addr, long length) throws HostException {
    Calls.call(
        "munmap",
        () -> "addr=0x%x, length=0x%x".formatted(addr, length),
        state -> (int) Munmap.HANDLE.invokeExact(state, MemorySegment.ofAddress(addr), length));
  }

  /**
   * Moves a mapping onto other memory, mremap(2) with MREMAP_MAYMOVE and MREMAP_FIXED. The memory's
   * arena cannot be closed meanwhile, so the range is not another's by then.
   *
   * @throws IllegalStateException if the arena is closed
   */
  static void move(long from, MemorySegment to) throws HostException {
    mremap(from, to.byteSize(), to);
  }

  /** Maps the pages of a shared mapping a second time: mremap(2) with an old size of 0. */
  static void duplicate(long from, MemorySegment to) throws HostException {
    mremap(from, 0, to);
  }

  private static void mremap(long from, long oldLength, MemorySegment to) throws HostException {
    int flags = Libc.MREMAP_MAYMOVE() | Libc.MREMAP_FIXED();
    Calls.call(
        "mremap",
        () ->
            "old_address=0x%x, old_size=0x%x, new_size=0x%x, flags=0x%x, new_address=0x%x"
                .formatted(from, oldLength, to.byteSize(), flags, to.address()),
        state ->
            ((MemorySegment)
                    Mremap.HANDLE.invokeExact(
                        state, MemorySegment.ofAddress(from), oldLength, to.byteSize(), flags, to))
                .address());
  }

  static void mprotect(long addr, long length, int prot) throws HostException {
    Calls.call(
        "mprotect",
        () -> "addr=0x%x, length=0x%x, prot=0x%x".formatted(addr, length, prot),
        state ->
            (int) Mprotect.HANDLE.invokeExact(state, MemorySegment.ofAddress(addr), length, prot));
  }

  static void madvise(long addr, long length, Advice advice) throws HostException {
    Calls.call(
        "madvise",
        () -> "addr=0x%x, length=0x%x, advice=%s".formatted(addr, length, advice),
        state ->
            (int)
                Madvise.HANDLE.invokeExact(
                    state, MemorySegment.ofAddress(addr), length, advice.number()));
  }

  // One class per handle, so that each is linked when it is first used: that takes milliseconds.

  private static final class Mmap {
    static final MethodHandle HANDLE = Calls.link(Libc.mmap$address(), Libc.mmap$descriptor());
  }

  private static final class Munmap {
    static final MethodHandle HANDLE = Calls.link(Libc.munmap$address(), Libc.munmap$descriptor());
  }

  private static final class Mprotect {
    static final MethodHandle HANDLE =
        Calls.link(Libc.mprotect$address(), Libc.mprotect$descriptor());
  }

  private static final class Madvise {
    static final MethodHandle HANDLE =
        Calls.link(Libc.madvise$address(), Libc.madvise$descriptor());
  }

  private static final class Mremap {
    static final MethodHandle HANDLE =
        Calls.linkVariadic(
            Libc.mremap.address(),
            FunctionDescriptor.of(
                Libc.C_POINTER,
                Libc.C_POINTER,
                Libc.C_LONG,
                Libc.C_LONG,
                Libc.C_INT,
                Libc.C_POINTER),
            4);
  }
}
