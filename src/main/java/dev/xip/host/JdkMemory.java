package dev.xip.host;

import dev.xip.base.Access;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.function.Consumer;

/**
 * Memory that the JDK maps into an arena of the caller: only such memory counts as mapped, so that
 * {@link MemorySegment#load} and the like work.
 */
final class JdkMemory {
  private JdkMemory() {}

  /** Ends the guarding of memory once, before the JDK unmaps it or when it could not map it. */
  private static final class End implements Consumer<MemorySegment> {
    private final Guard guard;
    private final Runnable atEnd;
    private boolean ended;

    End(Guard guard, Runnable atEnd) {
      this.guard = guard;
      this.atEnd = atEnd;
    }

    @Override
    public void accept(MemorySegment nothing) {
      end();
    }

    synchronized void end() {
      if (!ended) {
        ended = true;
        guard.clear();
        if (atEnd != null) {
          atEnd.run();
        }
      }
    }
  }

  /**
   * Maps a part of a file for reading.
   *
   * @param file the open file
   * @param fileOffset the first byte in it, page aligned
   * @param bytes the length
   * @param arena its end unmaps the memory
   * @param guard the memory's, ended before that, or if this method throws
   * @param atEnd run once when the guard has been ended, null for nothing. It must not refer to the
   *     arena, as one that ends by collection never would
   */
  static MemorySegment map(
      FileChannel file, long fileOffset, long bytes, Arena arena, Guard guard, Runnable atEnd)
      throws IOException {
    End end = new End(guard, atEnd);
    try {
      return map(file, FileChannel.MapMode.READ_ONLY, fileOffset, bytes, arena, end);
    } catch (IOException | RuntimeException | Error e) {
      end.end();
      throw e;
    }
  }

  /** Maps zeros of 0 bytes or more, as {@link #map} does. */
  static MemorySegment zeros(long bytes, Access access, Arena arena, Guard guard, Runnable atEnd)
      throws IOException {
    FileChannel.MapMode mode =
        access.write() ? FileChannel.MapMode.PRIVATE : FileChannel.MapMode.READ_ONLY;
    End end = new End(guard, atEnd);
    try (HostFile file = HostFile.memfd("xip")) {
      file.truncate(bytes);
      try (FileChannel channel =
          FileChannel.open(
              file.descriptorPath(), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
        return map(channel, mode, 0, bytes, arena, end);
      }
    } catch (IOException | RuntimeException | Error e) {
      end.end();
      throw e;
    }
  }

  private static MemorySegment map(
      FileChannel file, FileChannel.MapMode mode, long fileOffset, long bytes, Arena arena, End end)
      throws IOException {
    // An arena performs its actions in no order that is specified. The JDK's action that unmaps
    // stands between these two, so one of them comes before it.
    MappedMemory.atEnd(arena, end);
    MemorySegment memory = file.map(mode, fileOffset, bytes, arena);
    MappedMemory.atEnd(arena, end);
    return memory;
  }
}
