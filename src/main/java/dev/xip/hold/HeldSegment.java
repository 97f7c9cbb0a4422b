package dev.xip.hold;

import dev.xip.phys.PhysicalMemory;
import dev.xip.segment.SavedSegment;
import dev.xip.segment.SegmentException;
import dev.xip.segment.SegmentLoader;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.SharingMode;
import dev.xip.segment.StoredSegment;
import dev.xip.segment.WaitLimit;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;

/**
 * One segment, loaded into a physical memory of its own until it is closed. Meanwhile other
 * processes of the same user change, save and unload it through {@link SegmentHolder}. All methods
 * may be called from any thread.
 */
public final class HeldSegment implements AutoCloseable {
  private final SegmentName name;
  private final PhysicalMemory memory;
  private final SegmentLoader loader;
  private final CountDownLatch ended = new CountDownLatch(1);

  /** The segment, without references once it is unloaded. Guarded by this. */
  private SavedSegment segment;

  /** Why the hold ended without a request, or null. Guarded by this. */
  private IOException failure;

  /** Null if no socket could be made in the store's folder. Set once, before this is published. */
  private volatile HoldServer server;

  /** Why there is no socket, or null. Set like the server. */
  private IOException unreachable;

  /** Guarded by this. */
  private boolean closed;

  private HeldSegment(PhysicalMemory memory, SegmentStore store, SegmentName name, SharingMode mode)
      throws SegmentException {
    WaitLimit given = store.waitLimit();
    WaitLimit limit = new WaitLimit(given.limit(), given.told(), this::isAbandoned);
    this.name = name;
    this.memory = memory;
    this.loader = new SegmentLoader(store.waiting(limit), memory);
    this.segment = loader.load(name, mode);
  }

  private boolean isAbandoned() {
    HoldServer asked = server;
    return asked != null && asked.isAbandoned();
  }

  /**
   * Loads a segment. The window is made large enough for it.
   *
   * @param store where it is
   * @param name its name
   * @param mode shared or exclusive
   * @return the segment, to be closed
   * @throws SegmentException if it cannot be loaded
   * @throws IOException if the host refuses the address space
   */
  public static HeldSegment load(SegmentStore store, SegmentName name, SharingMode mode)
      throws IOException {
    HeldSegment held = loadWithoutSocket(store, name, mode);
    held.listen(store.folder());
    return held;
  }

  /**
   * Loads a segment shared, for the time of one transfer: other processes send it no requests.
   *
   * @param store where it is
   * @param name its name
   * @return the segment, to be closed
   * @throws IOException as {@link #load} does
   */
  public static HeldSegment loadAlone(SegmentStore store, SegmentName name) throws IOException {
    return loadWithoutSocket(store, name, SharingMode.SHARED);
  }

  private static HeldSegment loadWithoutSocket(
      SegmentStore store, SegmentName name, SharingMode mode) throws IOException {
    long end = store.query(name).definition().range().end();
    PhysicalMemory memory =
        PhysicalMemory.boot(
            Math.max(end, PhysicalMemory.DEFAULT_WINDOW_BYTES), PhysicalMemory.DEFAULT_RAM_BYTES);
    try {
      return new HeldSegment(memory, store, name, mode);
    } catch (IOException | RuntimeException e) {
      memory.close();
      throw e;
    }
  }

  /** A segment is held without a socket too: a load needs no right to write to the folder. */
  private void listen(Path folder) {
    try {
      server = HoldServer.open(this, folder);
    } catch (IOException e) {
      unreachable = e;
    }
  }

  /** {@return the segment's name} */
  public SegmentName name() {
    return name;
  }

  /** {@return the loaded segment, with its physical range} */
  public synchronized SavedSegment segment() {
    return segment;
  }

  /** {@return the address of its first byte in this process} */
  public synchronized long address() {
    return memory.window().address() + segment.range().start();
  }

  /** {@return the socket in the store's folder that takes requests; empty if none could be made} */
  public Optional<Path> socket() {
    return Optional.ofNullable(server).map(HoldServer::file);
  }

  /** {@return why there is no socket; empty if there is one} */
  public Optional<IOException> unreachable() {
    return Optional.ofNullable(unreachable);
  }

  /**
   * Loads the segment again in another mode.
   *
   * @param mode the mode that it is to have
   * @return the segment as loaded now
   * @throws SegmentException as {@link SegmentLoader#modifyShared}; if that unloaded the segment,
   *     the hold has ended
   */
  public synchronized SavedSegment modify(SharingMode mode) throws SegmentException {
    try {
      segment = loader.modifyShared(name, mode);
      return segment;
    } catch (SegmentException e) {
      if (segment.references() == 0 && failure == null && !closed) {
        failure = e;
      }
      throw e;
    }
  }

  /**
   * Saves the segment's bytes in memory.
   *
   * @return the segment as stored now; the version before stays loaded
   * @throws SegmentException as {@link SegmentLoader#save}
   */
  public synchronized StoredSegment save() throws SegmentException {
    return loader.save(name);
  }

  /**
   * Unloads the segment. The hold ends with {@link #end}.
   *
   * @return what was loaded
   * @throws SegmentException as {@link SegmentLoader#unload}
   */
  synchronized SavedSegment unload() throws SegmentException {
    loader.unload(name);
    return segment;
  }

  /** Whether the segment is still loaded. */
  synchronized boolean isLoaded() {
    return segment.references() > 0;
  }

  /** Lets {@link #await} return. */
  public void end() {
    ended.countDown();
  }

  /**
   * Waits until the hold is to end: because of {@link #end}, because a request has unloaded the
   * segment, or because it could not be loaded again.
   *
   * @throws IOException why it could not be loaded again
   * @throws InterruptedException if the thread is interrupted
   */
  public void await() throws IOException, InterruptedException {
    ended.await();
    synchronized (this) {
      if (failure != null) {
        throw failure;
      }
    }
  }

  /** Stops serving requests, unloads the segment and releases the memory. */
  @Override
  public synchronized void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    end();
    try (memory;
        HoldServer _ = server) {
      if (segment.references() > 0) {
        loader.unload(name);
      }
    }
  }
}
