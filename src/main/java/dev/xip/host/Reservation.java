package dev.xip.host;

import dev.xip.base.Access;
import dev.xip.base.AtomicContext;
import dev.xip.base.Errno;
import dev.xip.base.LostPages;
import dev.xip.base.Pages;
import dev.xip.bindings.Libc;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.List;

/**
 * One reserved range of address space: files or memory are mapped into parts of it and unmapped
 * again, and no part is ever a hole that another mapping could take. The reservation itself takes
 * no memory and no swap.
 *
 * <p>A new mapping is made elsewhere and then moved into place, so a refusal leaves the old one,
 * with one exception: if the kernel runs out of memory for its own records between dropping the old
 * mapping and placing the new one, the part reads as zeros.
 *
 * <p>Changes and {@link #close} exclude each other; access to the memory needs no lock. A load from
 * a part that may not be read, or a store to one that may not be written, ends the JVM: the caller
 * must know what it mapped where. A lost page of a truncated file reads as zeros, and {@link
 * dev.xip.base.LostPages} reports it.
 */
public final class Reservation implements AutoCloseable {
  private static final int PRIVATE_MEMORY =
      Libc.MAP_PRIVATE() | Libc.MAP_ANONYMOUS() | Libc.MAP_NORESERVE();
  private static final int NO_FILE = -1;

  private final Arena arena;
  private final MemorySegment memory;
  private final Guard guard;

  private Reservation(long address, long bytes, AtClose atClose) {
    arena = Arena.ofShared();
    guard = new Guard();
    memory = MappedMemory.of(address, bytes, arena, () -> atClose.run(address, bytes, guard));
  }

  private Reservation(MemorySegment memory, Arena arena, Guard guard) {
    this.arena = arena;
    this.memory = memory;
    this.guard = guard;
  }

  private interface AtClose {
    void run(long address, long bytes, Guard guard);
  }

  private static Reservation anywhere(long bytes, Access access) throws HostException {
    return new Reservation(anonymous(checked(bytes), access), bytes, Reservation::unmap);
  }

  /** Precondition: the arena is closed, so no thread loads from the range any more. */
  private static void unmap(long address, long bytes, Guard guard) {
    guard.clear();
    MappedMemory.unmap(address, bytes);
  }

  /** Readers may still load from a window, so files are guarded until none is mapped. */
  private static void giveBack(long address, long bytes, Guard guard) {
    MappedMemory.empty(address, bytes);
    guard.clear();
    WindowSpace.giveBack(address, bytes);
  }

  private static long checked(long bytes) {
    AtomicContext.mightSleep("mmap");
    return Args.wholePages(bytes, "size");
  }

  /**
   * Reserves a range that reads as zeros.
   *
   * @param bytes the size, above 0, whole pages
   * @return the reservation, to be closed
   * @throws HostException if there is no such range left (ENOMEM)
   */
  public static Reservation readableZeros(long bytes) throws HostException {
    return anywhere(bytes, Access.READ);
  }

  /**
   * Reserves a range that must not be touched until something is mapped into it.
   *
   * @param bytes the size, above 0, whole pages
   * @return the reservation, to be closed
   * @throws HostException if there is no such range left (ENOMEM)
   */
  public static Reservation inaccessible(long bytes) throws HostException {
    return anywhere(bytes, Access.NONE);
  }

  /**
   * Reserves a range of {@link WindowSpace} that reads as zeros. Closed, it becomes zeros again.
   *
   * @param bytes the size, above 0, whole pages
   * @return the reservation, to be closed
   * @throws HostException if there is no such range left (ENOMEM)
   */
  public static Reservation window(long bytes) throws HostException {
    return new Reservation(WindowSpace.take(checked(bytes)), bytes, Reservation::giveBack);
  }

  /**
   * Reserves a range that lives as long as an arena of the caller, as memory that the JDK counts as
   * mapped: {@link MemorySegment#isMapped}, {@link MemorySegment#load} and buffers over it work. It
   * reads as zeros, but a page of zeros that is read takes memory. {@link #close} must not be
   * called. If the arena ends by garbage collection, the reservation must not outlive this call.
   *
   * @param arena its end unmaps the range
   * @param bytes the size, above 0, whole pages
   * @param access the rights of the memory: READ or READ_WRITE; stores stay private
   * @param atEnd run once: before the range is unmapped, or if this method throws
   * @throws IllegalStateException if the arena is closed
   */
  static Reservation in(Arena arena, long bytes, Access access, Runnable atEnd) throws IOException {
    Guard guard = new Guard(true);
    return new Reservation(JdkMemory.zeros(bytes, access, arena, guard, atEnd), arena, guard);
  }

  /**
   * {@return memory of the reserved size, until {@link #close}; the rights to each part are those
   * of what is mapped there}
   */
  public MemorySegment memory() {
    return memory;
  }

  /**
   * Returns a part of the range as memory of another arena, which is closed before the range is.
   *
   * @param offset where in the range
   * @param length the length in bytes
   * @param part the arena; it must be closed before the range is
   * @return memory of that length, until the arena is closed
   */
  public MemorySegment part(long offset, long length, Arena part) {
    return MappedMemory.part(memory, offset, length, part);
  }

  /** {@return the page-aligned address of the first byte} */
  public long address() {
    return memory.address();
  }

  /** {@return the reserved length in bytes} */
  public long size() {
    return memory.byteSize();
  }

  /** {@return whether the range is still reserved: false after {@link #close}} */
  public boolean isOpen() {
    return arena.scope().isAlive();
  }

  /**
   * Maps a part of a file into a part of the range.
   *
   * @param offset where in the range, page aligned
   * @param length the length in bytes, above 0, whole pages; the file's last page counts as whole
   * @param file an open file
   * @param fileOffset the first byte in the file, page aligned
   * @param access the rights; writing to a shared mapping needs a file open for writing
   * @param sharing whether stores reach the file
   * @throws HostException if the range is not inside the file (ENXIO), or the system refuses:
   *     EACCES for rights the file was not opened with, EPERM for execution from a noexec mount,
   *     ENOMEM for too many mappings
   */
  public synchronized void mapFile(
      long offset, long length, HostFile file, long fileOffset, Access access, Sharing sharing)
      throws HostException {
    prepare(offset, length);
    Pages.requireAligned(fileOffset, "file offset");
    Args.noOverflow(fileOffset, length, "file offset");
    long size = file.size();
    MappedMemory.requireInFile(file, fileOffset, length, Pages.roundUp(size));
    LostPages.Origin origin = LostPages.Origin.of(file.name(), Math.min(size, fileOffset + length));
    long start = address() + offset;
    List<Guard.Guarded> before = guard.remove(start, length);
    try {
      guard.add(origin, memory.asSlice(offset, length), access);
      install(MappedMemory.mapAnywhere(file, fileOffset, length, access, sharing), offset, length);
    } catch (HostException refused) {
      undo(refused, () -> guard.remove(start, length));
      undo(refused, () -> guard.putBack(before));
      throw refused;
    }
  }

  /**
   * Guards the whole range as of one origin, before {@link #mapAgain} maps it. Precondition: it
   * reads as zeros.
   */
  synchronized void guard(LostPages.Origin origin) throws HostException {
    guard.add(origin, memory, Access.READ);
  }

  /**
   * Maps pages of another mapping a second time, into a part of the range; the file's name is not
   * needed: mremap(2) with an old size of 0.
   *
   * @param offset where in the range, page aligned
   * @param source whole pages inside one shared mapping of a file, with its rights; it is left as
   *     it is
   * @throws HostException if the source is not a shared mapping (EINVAL) or there is no mapping
   *     left (ENOMEM)
   */
  synchronized void mapAgain(long offset, MemorySegment source) throws HostException {
    long from = Pages.requireAligned(Args.nativeMemory(source, "source").address(), "source");
    prepare(offset, source.byteSize());
    MemorySegment to = memory.asSlice(offset, source.byteSize());
    try {
      MemoryCalls.duplicate(from, to);
    } catch (HostException refused) {
      undo(refused, () -> plug(to.address(), to.byteSize()));
      throw refused;
    } finally {
      Reference.reachabilityFence(source);
    }
  }

  /**
   * Maps private zeroed memory into a part of the range; pages are allocated when touched.
   *
   * @param offset where in the range, page aligned
   * @param length the length in bytes, above 0, whole pages
   * @param access the rights
   * @throws HostException if there is no memory or no mapping left (ENOMEM)
   */
  public synchronized void mapAnonymous(long offset, long length, Access access)
      throws HostException {
    prepare(offset, length);
    install(anonymous(length, access), offset, length);
    guard.remove(address() + offset, length);
  }

  /**
   * Makes a part of the range readable zeros again, which take no memory.
   *
   * @param offset where in the range, page aligned
   * @param length the length in bytes, above 0, whole pages
   * @throws HostException if there is no mapping left (ENOMEM)
   */
  public void mapZeros(long offset, long length) throws HostException {
    mapAnonymous(offset, length, Access.READ);
  }

  /**
   * Changes the rights to a part of the range, mprotect(2).
   *
   * @param offset where in the range, page aligned
   * @param length the length in bytes, above 0, whole pages
   * @param access the rights
   * @throws HostException if a file there was not opened for them (EACCES) or there is no mapping
   *     left to split (ENOMEM); a part may have been changed then
   */
  public synchronized void protect(long offset, long length, Access access) throws HostException {
    prepare(offset, length);
    MemoryCalls.mprotect(address() + offset, length, Args.protection(access));
    guard.protect(address() + offset, length, access);
  }

  /**
   * Tells the system what a part of the range will be used for, madvise(2).
   *
   * @param offset where in the range, page aligned
   * @param length the length in bytes, above 0, whole pages
   * @param advice the use
   * @throws HostException if the system refuses: EINVAL for advice that it does not know or that
   *     does not fit what is mapped there, EFAULT where a page to be populated is lost
   */
  public synchronized void advise(long offset, long length, Advice advice) throws HostException {
    prepare(offset, length);
    MemoryCalls.madvise(address() + offset, length, advice);
  }

  /**
   * Unmaps the whole range; a second time does nothing. Later access to the memory throws.
   *
   * @throws IllegalStateException if a native call is using the memory right now
   * @throws UncheckedIOException if the system refuses to unmap
   */
  @Override
  public synchronized void close() {
    if (isOpen()) {
      arena.close();
    }
  }

  /** Checks that are common to all changes. */
  private void prepare(long offset, long length) {
    AtomicContext.mightSleep("change of a mapping");
    if (!isOpen()) {
      throw new IllegalStateException("the reservation is closed");
    }
    Args.pagesInside(offset, length, size());
  }

  private static long anonymous(long length, Access access) throws HostException {
    return MemoryCalls.mmap(0, length, Args.protection(access), PRIVATE_MEMORY, NO_FILE, "", 0);
  }

  /**
   * Moves a finished mapping onto a part of the range. mremap(2) checks its arguments and the count
   * of mappings before it drops the old mapping.
   */
  private void install(long built, long offset, long length) throws HostException {
    try {
      MemoryCalls.move(built, memory.asSlice(offset, length));
    } catch (HostException refused) {
      undo(refused, () -> MemoryCalls.munmap(built, length));
      undo(refused, () -> plug(address() + offset, length));
      throw refused;
    } catch (IllegalStateException closed) {
      MappedMemory.unmap(built, length);
      throw closed;
    }
  }

  /** Fills the part with zeros if it has become a hole, and leaves it alone if it has not. */
  private static void plug(long addr, long length) throws HostException {
    int flags = PRIVATE_MEMORY | Libc.MAP_FIXED_NOREPLACE();
    try {
      MemoryCalls.mmap(addr, length, Libc.PROT_READ(), flags, NO_FILE, "", 0);
    } catch (HostException refused) {
      if (refused.errno() != Errno.EEXIST) {
        throw refused;
      }
    }
  }

  private interface Step {
    void run() throws HostException;
  }

  private static void undo(HostException cause, Step step) {
    try {
      step.run();
    } catch (HostException alsoFailed) {
      cause.addSuppressed(alsoFailed);
    }
  }
}
