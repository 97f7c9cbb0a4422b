package dev.xip.host;

import dev.xip.base.Errno;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * How many mappings the views of this process may have together: a quarter of what the system
 * allows a process (vm.max_map_count). The JVM takes mappings too, and ends when it is refused one,
 * so nobody whose number of mappings a file decides may come near the limit.
 */
public final class MappingBudget {
  private static final Path LIMIT = Path.of("/proc/sys/vm/max_map_count");
  private static final int SHARE = 4;

  /** What Linux starts with (include/linux/mm.h, DEFAULT_MAX_MAP_COUNT), where it does not tell. */
  private static final long DEFAULT_LIMIT = 65_530;

  /** Guarded by the class. */
  private static long taken;

  private MappingBudget() {}

  /**
   * Returns what all views together may have.
   *
   * @return the number of mappings, as the system is set now
   */
  public static long limit() {
    // In one read: a second one finds the end of the file, wherever the first one stopped.
    try (BufferedReader file = Files.newBufferedReader(LIMIT)) {
      return Long.parseLong(file.readLine()) / SHARE;
    } catch (IOException | NumberFormatException e) {
      return DEFAULT_LIMIT / SHARE;
    }
  }

  /**
   * Returns what they have.
   *
   * @return the number of mappings
   */
  public static synchronized long taken() {
    return taken;
  }

  static void take(long mappings) throws HostException {
    long limit = limit();
    synchronized (MappingBudget.class) {
      if (mappings > limit - taken) {
        throw new HostException(
            "mremap",
            "%d mappings for a view, where views have %d of the %d that they may have"
                .formatted(mappings, taken, limit),
            Errno.ENOMEM);
      }
      taken += mappings;
    }
  }

  static synchronized void giveBack(long mappings) {
    taken -= mappings;
  }
}
