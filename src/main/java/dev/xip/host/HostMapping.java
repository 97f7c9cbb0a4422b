package dev.xip.host;

import dev.xip.base.Access;
import dev.xip.base.AtomicContext;
import dev.xip.base.LostPages;
import dev.xip.base.Pages;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;

/**
 * A file, or a part of it, mapped at an address of the system's choice, mmap(2). The file may be
 * closed while it is mapped. If it is truncated, a lost page reads as zeros, and {@link LostPages}
 * reports it.
 */
public final class HostMapping implements Closeable {
  private final Arena arena;
  private final MemorySegment memory;

  private HostMapping(MemorySegment memory, Arena arena) {
    this.memory = memory;
    this.arena = arena;
  }

  /**
   * Maps a part of a file.
   *
   * @param file an open file
   * @param fileOffset the first byte in the file, page aligned
   * @param length the length in bytes, above 0; it need not be whole pages
   * @param access the rights; writing to a shared mapping needs a file open for writing
   * @param sharing whether stores reach the file
   * @return the mapping, to be closed
   * @throws HostException if the range is not inside the file (ENXIO), or the system refuses:
   *     EACCES for rights the file was not opened with, EPERM for execution from a noexec mount,
   *     ENOMEM for too many mappings
   */
  public static HostMapping map(
      HostFile file, long fileOffset, long length, Access access, Sharing sharing)
      throws HostException {
    AtomicContext.mightSleep("mmap");
    Pages.requireAligned(fileOffset, "file offset");
    Args.noOverflow(fileOffset, Args.positive(length, "length"), "file offset");
    MappedMemory.requireInFile(file, fileOffset, length, file.size());
    long addr = MappedMemory.mapAnywhere(file, fileOffset, length, access, sharing);
    Arena arena = Arena.ofShared();
    Guard guard = new Guard();
    MemorySegment all =
        MappedMemory.of(
            addr,
            length,
            arena,
            () -> {
              guard.clear();
              MappedMemory.unmap(addr, length);
            });
    try {
      guard.add(LostPages.Origin.of(file.name(), fileOffset + length), all, access);
    } catch (HostException e) {
      arena.close();
      throw e;
    }
    return new HostMapping(access.write() ? all : all.asReadOnly(), arena);
  }

  /**
   * Maps a whole file for reading, as {@link #map(FileChannel, LostPages.Origin, long)} does.
   *
   * @param file an open file that is not empty; it may be closed while it is mapped
   * @param name its path, by which {@link LostPages} knows it
   * @return the mapping, to be closed
   * @throws IOException if the system refuses
   */
  public static HostMapping map(FileChannel file, String name) throws IOException {
    return map(file, LostPages.Origin.of(name, file.size()), 0);
  }

  /**
   * Maps a file or block device for reading from a page on, through the JDK alone: linking the
   * first system call takes longer than most commands run.
   *
   * @param file an open file; it may be closed while it is mapped
   * @param origin what {@link LostPages} tells of it; the mapping ends where its bytes end
   * @param fileOffset the first byte in the file, page aligned, before that end
   * @return the mapping, to be closed
   * @throws IOException if the file is shorter, or the system refuses
   */
  public static HostMapping map(FileChannel file, LostPages.Origin origin, long fileOffset)
      throws IOException {
    Pages.requireAligned(fileOffset, "file offset");
    if (file.size() < origin.fileBytes()) {
      throw new FileSystemException(
          origin.file(),
          null,
          "expected 0x%x bytes, found 0x%x: it has just been cut"
              .formatted(origin.fileBytes(), file.size()));
    }
    Arena arena = Arena.ofShared();
    Guard guard = new Guard();
    try {
      long length = origin.fileBytes() - fileOffset;
      long addr = map(file, origin, fileOffset, length, arena, guard);
      // Of one class with all other memory, as loads from memory of several classes are slower.
      MemorySegment all = MappedMemory.of(addr, length, arena);
      guard.add(origin, all, Access.READ);
      return new HostMapping(all.asReadOnly(), arena);
    } catch (IOException | RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  private static long map(
      FileChannel file,
      LostPages.Origin origin,
      long fileOffset,
      long length,
      Arena arena,
      Guard guard)
      throws IOException {
    try {
      return JdkMemory.map(file, fileOffset, length, arena, guard, null).address();
    } catch (ClosedChannelException e) {
      throw e;
    } catch (IOException e) {
      // The message of the JDK does not name the file.
      FileSystemException named =
          new FileSystemException(
              origin.file(),
              null,
              "0x%x bytes cannot be mapped: %s".formatted(length, e.getMessage()));
      named.initCause(e);
      throw named;
    }
  }

  /**
   * {@return memory of the requested length, read-only unless the rights include writing; with
   * rights that do not include reading it must not be touched}
   */
  public MemorySegment memory() {
    return memory;
  }

  /** {@return the page-aligned address of the first byte} */
  public long address() {
    return memory.address();
  }

  /**
   * Tells the system what the bytes will be used for, madvise(2).
   *
   * @param offset the first byte, page aligned
   * @param length the length in bytes, above 0
   * @param advice the use
   * @throws HostException if the system refuses: EINVAL for advice it does not know, EFAULT where a
   *     page to be populated is lost
   */
  public synchronized void advise(long offset, long length, Advice advice) throws HostException {
    // After close the address may already belong to another mapping.
    if (!arena.scope().isAlive()) {
      throw new IllegalStateException("the mapping is closed");
    }
    Pages.requireAligned(offset, "offset");
    Args.inside(offset, Args.positive(length, "length"), memory.byteSize());
    MemoryCalls.madvise(address() + offset, length, advice);
  }

  /**
   * Unmaps; a second time does nothing. Later access to the memory throws.
   *
   * @throws IllegalStateException if a native call is using the memory right now
   * @throws UncheckedIOException if the system refuses to unmap
   */
  @Override
  public synchronized void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
