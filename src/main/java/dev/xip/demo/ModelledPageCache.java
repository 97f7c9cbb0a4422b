package dev.xip.demo;

import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.file.InPlaceFile;
import dev.xip.phys.FrameAllocator;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PhysicalMemory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/**
 * The control of the experiment: reads files as a kernel without execute-in-place does, with a
 * frame of RAM for each page and a copy of the bytes in it. When RAM runs out, the file read first
 * is dropped. For one thread.
 */
final class ModelledPageCache implements AutoCloseable {
  private final PhysicalMemory memory;
  private final FrameAllocator allocator;

  /** The frames of each file read, oldest first. */
  private final Deque<long[]> files = new ArrayDeque<>();

  private long framesTaken;
  private long mostFrames;

  ModelledPageCache(PhysicalMemory memory) {
    this.memory = memory;
    this.allocator = memory.allocator();
  }

  /** Receives the pages of a file in order, each in its frame. */
  @FunctionalInterface
  interface PageReader {
    void page(MemorySegment bytes) throws IOException;
  }

  /** Reads a whole file through the cache. */
  void read(InPlaceFile file, PageReader reader) throws IOException {
    long[] frames = new long[Math.toIntExact(Pages.covering(file.size()))];
    int filled = 0;
    try {
      for (; filled < frames.length; filled++) {
        frames[filled] = takeFrame(file.name());
        MemorySegment page = memory.ram().asSlice(frames[filled] << Pages.SHIFT, Pages.SIZE);
        long offset = (long) filled << Pages.SHIFT;
        long bytes = Math.min(Pages.SIZE, file.size() - offset);
        file.read(offset, page.asSlice(0, bytes));
        reader.page(page.asSlice(0, bytes));
      }
    } finally {
      files.add(Arrays.copyOf(frames, filled));
    }
  }

  private long takeFrame(String name) throws IOException {
    long pfn = allocator.allocate(FrameUse.PAGE_CACHE);
    while (pfn < 0) {
      if (files.isEmpty()) {
        throw new IOException(
            Errno.ENOMEM.message(
                "page cache for %s: expected a free frame, found all %d in use",
                name, memory.frames().count()));
      }
      drop(files.remove());
      pfn = allocator.allocate(FrameUse.PAGE_CACHE);
    }
    framesTaken++;
    mostFrames = Math.max(mostFrames, allocator.inUse(FrameUse.PAGE_CACHE));
    return pfn;
  }

  private void drop(long[] frames) {
    for (long pfn : frames) {
      allocator.put(pfn);
    }
  }

  /** {@return the number of frames taken for pages so far} */
  long framesTaken() {
    return framesTaken;
  }

  /** {@return the most frames that were in use at a time} */
  long mostFrames() {
    return mostFrames;
  }

  /** Frees all frames. */
  @Override
  public void close() {
    files.forEach(this::drop);
    files.clear();
  }
}
