package dev.xip.vm;

import dev.xip.file.CachedFile;
import dev.xip.file.MemoryFile;
import dev.xip.mapping.Mappable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * A file of a history, of either kind.
 *
 * @param file a {@link MemoryFile}, which is used in place, or a {@link CachedFile}
 */
record HistoryFile(Mappable file) {
  boolean isCached() {
    return file.cachedPages() != null;
  }

  long read(long position, MemorySegment destination) throws IOException {
    return file instanceof CachedFile cached
        ? cached.read(position, destination)
        : ((MemoryFile) file).read(position, destination);
  }

  long write(long position, MemorySegment source) throws IOException {
    return file instanceof CachedFile cached
        ? cached.write(position, source)
        : ((MemoryFile) file).write(position, source);
  }

  void truncate(long size) throws IOException {
    if (file instanceof CachedFile cached) {
      cached.truncate(size);
    } else {
      ((MemoryFile) file).truncate(size);
    }
  }

  void punchHole(long firstPage, long pages) throws IOException {
    if (file instanceof CachedFile cached) {
      cached.punchHole(firstPage, pages);
    } else {
      ((MemoryFile) file).punchHole(firstPage, pages);
    }
  }

  void invalidate(long firstPage, long pages) {
    if (file instanceof CachedFile cached) {
      cached.invalidate(firstPage, pages);
    } else {
      ((MemoryFile) file).invalidate(firstPage, pages);
    }
  }

  /** The flags of a mapping of the file. */
  long flags(boolean shared) {
    long flags = shared ? TestMachine.SHARED : TestMachine.PRIVATE;
    return isCached() ? flags & ~VmaFlags.MIXEDMAP : flags;
  }
}
