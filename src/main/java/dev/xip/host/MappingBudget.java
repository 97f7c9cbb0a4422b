package dev.xip.host;

import dev.xip.base.Errno;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The number of mappings that all views of this process may have together: a quarter of what the
 * system allows a process (vm.max_map_count). The JVM needs mappings too and ends when it is
 * refused one, so views, whose number of mappings depends on files, stay far from the limit.
 */
public final class MappingBudget {
  private static final Path LIMIT = Path.of("/proc/sys/vm/max_map_count");
  private static final int SHARE = 4;

  /**
   * Linux's default (include/linux/mm.h, DEFAULT_MAX_MAP_COUNT), used if the file cannot be read.
   */
  private static final long DEFAULT_LIMIT = 65_530;

  /** Guarded by the class. */
  private static long taken;

  private MappingBudget() {}

  /** {@return the number of mappings that all views together may have, as the system is set now} */
  public static long limit() {
    // One read(2): a second one would return the end of the file wherever the first stopped.
    try (BufferedReader file = Files.newBufferedReader(LIMIT)) {
      return Long.parseLong(file.readLine()) / SHARE;
    } catch (IOException | NumberFormatException e) {
      return DEFAULT_LIMIT / SHARE;
    }
  }

  /** {@return the number of mappings that all views have} */
  public static synchronized long taken() {
    return taken;
  }

  static void take(long mappings) throws HostException {
    long limit = limit();
    synchronized (MappingBudget.class) {
      if (mappings > limit - taken) {
        throw new HostException(
            "mremap",
            "a view of %d mappings, with %d of at most %d in use by views"
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
