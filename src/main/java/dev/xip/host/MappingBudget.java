package dev.xip.host;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.xip.base.Errno;
import java.io.FileInputStream;
import java.io.IOException;

/**
 * The number of mappings that all views of this process may have together: a quarter of what the
 * system allows a process (vm.max_map_count). The JVM needs mappings too and ends when it is
 * refused one, so views, whose number of mappings depends on files, stay far from the limit.
 */
public final class MappingBudget {
  private static final String LIMIT = "/proc/sys/vm/max_map_count";
  private static final int MOST_DIGITS = 32;
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
    try (FileInputStream file = new FileInputStream(LIMIT)) {
      byte[] digits = new byte[MOST_DIGITS];
      int length = Math.max(0, file.read(digits));
      return Long.parseLong(new String(digits, 0, length, US_ASCII).strip()) / SHARE;
    } catch (IOException | NumberFormatException e) {
      return DEFAULT_LIMIT / SHARE;
    }
  }

  /** {@return the number of mappings that all views have} */
  public static synchronized long taken() {
    return taken;
  }

  /**
   * Takes mappings from the budget.
   *
   * @param mappings how many
   * @return gives them back, to be run once
   * @throws HostException if that many are not left (ENOMEM)
   */
  static Runnable take(long mappings) throws HostException {
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
    return new Share(mappings);
  }

  private static synchronized void giveBack(long mappings) {
    taken -= mappings;
  }

  /** What one view has taken. */
  private record Share(long mappings) implements Runnable {
    @Override
    public void run() {
      giveBack(mappings);
    }
  }
}
