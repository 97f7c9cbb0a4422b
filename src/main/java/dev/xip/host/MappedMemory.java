package dev.xip.host;

import dev.xip.base.Access;
import dev.xip.base.Errno;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/** Helpers common to {@link HostMapping} and {@link Reservation}. */
final class MappedMemory {
  private MappedMemory() {}

  /** Memory of an arena; closing the arena runs an action, usually unmapping. */
  @SuppressWarnings("restricted")
  static MemorySegment of(long addr, long length, Arena arena, Runnable atClose) {
    return MemorySegment.ofAddress(addr).reinterpret(length, arena, mem -> atClose.run());
  }

  /** Adds an action to those that the end of an arena performs; it gets nothing of use. */
  @SuppressWarnings("restricted")
  static void atEnd(Arena arena, Consumer<MemorySegment> action) {
    MemorySegment.NULL.reinterpret(0, arena, action);
  }

  /** Memory that something else unmaps when an arena is closed. */
  @SuppressWarnings("restricted")
  static MemorySegment of(long addr, long length, Arena arena) {
    return MemorySegment.ofAddress(addr).reinterpret(length, arena, null);
  }

  /** Memory of an arena, part of a range that outlives it. */
  @SuppressWarnings("restricted")
  static MemorySegment part(MemorySegment range, long offset, long length, Arena arena) {
    return range.asSlice(offset, length).reinterpret(arena, null);
  }

  /** Memory that is never unmapped. */
  @SuppressWarnings("restricted")
  static MemorySegment forever(long addr, long length) {
    return MemorySegment.ofAddress(addr).reinterpret(length);
  }

  /** Makes a part of {@link WindowSpace} zeros again, for callers without checked exceptions. */
  static void empty(long addr, long length) {
    try {
      WindowSpace.empty(addr, length);
    } catch (HostException refused) {
      throw new UncheckedIOException(refused);
    }
  }

  /** Unmaps, for callers without checked exceptions. */
  static void unmap(long addr, long length) {
    try {
      MemoryCalls.munmap(addr, length);
    } catch (HostException refused) {
      throw new UncheckedIOException(refused);
    }
  }

  /** Maps a checked range of a file at an address of the system's choice. */
  static long mapAnywhere(
      HostFile file, long fileOffset, long length, Access access, Sharing sharing)
      throws HostException {
    int prot = Args.protection(access);
    return MemoryCalls.mmap(0, length, prot, sharing.flag(), file.fd(), file.name(), fileOffset);
  }

  /**
   * Demands that a range lies inside a file: ENXIO if not, as POSIX has it for mmap, since the size
   * is state of the system and no argument.
   */
  static void requireInFile(HostFile file, long fileOffset, long length, long size)
      throws HostException {
    if (fileOffset > size - length) {
      throw new HostException(
          "mmap",
          "length=0x%x, fd=%d %s of 0x%x bytes, offset=0x%x"
              .formatted(length, file.fd(), file.name(), size, fileOffset),
          Errno.ENXIO);
    }
  }
}
