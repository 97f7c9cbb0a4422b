package dev.xip.host;

import dev.xip.base.Access;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Memory that the JDK maps into an arena of the caller: only such memory counts as mapped, so that
 * {@link MemorySegment#load} and the like work.
 */
final class JdkMemory {
  private JdkMemory() {}

  /** Maps memory into an arena by the JDK. */
  interface Mapper {
    MemorySegment map() throws IOException;
  }

  /**
   * Maps memory into an arena and ends its guarding before the JDK unmaps it.
   *
   * @param atEnd run once: before the memory is unmapped, or if this method throws. It must not
   *     refer to the arena, as one that ends by collection never would
   */
  static MemorySegment map(Mapper mapper, Arena arena, Guard guard, Runnable atEnd)
      throws IOException {
    AtomicBoolean ended = new AtomicBoolean();
    Runnable end =
        () -> {
          if (!ended.getAndSet(true)) {
            guard.clear();
            atEnd.run();
          }
        };
    try {
      // An arena performs its actions in no order that is specified. The JDK's action that unmaps
      // stands between these two, so one of them comes before it.
      MappedMemory.atEnd(arena, end);
      MemorySegment memory = mapper.map();
      MappedMemory.atEnd(arena, end);
      return memory;
    } catch (IOException | RuntimeException | Error e) {
      end.run();
      throw e;
    }
  }

  /** Maps zeros of 0 bytes or more. */
  static MemorySegment zeros(long bytes, Access access, Arena arena) throws IOException {
    FileChannel.MapMode mode =
        access.write() ? FileChannel.MapMode.PRIVATE : FileChannel.MapMode.READ_ONLY;
    try (HostFile file = HostFile.memfd("xip")) {
      file.truncate(bytes);
      try (FileChannel channel =
          FileChannel.open(
              file.descriptorPath(), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
        return channel.map(mode, 0, bytes, arena);
      }
    }
  }
}
