package dev.xip.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.xip.base.Access;
import dev.xip.base.Errno;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A failure of a random test is repeated with {@code -Dxip.seed=SEED}. */
class WindowSpaceTest {
  private static long offset(MemorySegment window) {
    return window.address() - WindowSpace.MEMORY.address();
  }

  private static long word(long offset) {
    return WindowSpace.MEMORY.get(ValueLayout.JAVA_LONG, offset);
  }

  @Test
  void aWindowIsPartOfItAndAClosedOneReadsAsZeros() throws HostException {
    Reservation window = Reservation.window(0x3000);
    long offset = offset(window.memory());
    window.mapAnonymous(0x1000, 0x1000, Access.READ_WRITE);
    window.memory().set(ValueLayout.JAVA_LONG, 0x1008, 42);
    assertThat(word(offset + 0x1008)).isEqualTo(42);
    window.close();
    assertThat(word(offset + 0x1008)).isZero();
    assertThatIllegalStateException()
        .isThrownBy(() -> window.memory().get(ValueLayout.JAVA_LONG, 0x1008));
  }

  @Test
  void windowsNeverOverlapAndEachBeginsAsZeros() throws HostException {
    long seed = Long.getLong("xip.seed", System.nanoTime());
    Random random = new Random(seed);
    List<Reservation> open = new ArrayList<>();
    for (int step = 0; step < 500; step++) {
      if (open.size() > 20 || !open.isEmpty() && random.nextInt(3) == 0) {
        open.remove(random.nextInt(open.size())).close();
        continue;
      }
      Reservation window = Reservation.window((random.nextInt(2000) + 1L) << 12);
      long start = offset(window.memory());
      assertThat(open)
          .as("seed %d", seed)
          .noneMatch(
              other ->
                  start < offset(other.memory()) + other.size()
                      && offset(other.memory()) < start + window.size());
      assertThat(word(start)).as("seed %d", seed).isZero();
      assertThat(word(start + window.size() - 8)).as("seed %d", seed).isZero();
      window.mapAnonymous(window.size() - 0x1000, 0x1000, Access.READ_WRITE);
      window.memory().set(ValueLayout.JAVA_LONG, window.size() - 8, -1);
      open.add(window);
    }
    open.forEach(Reservation::close);
  }

  @Test
  void aWindowLargerThanAllOfItIsRefused() {
    assertThatExceptionOfType(HostException.class)
        .isThrownBy(() -> Reservation.window(WindowSpace.MEMORY.byteSize() + 0x1000))
        .satisfies(refused -> assertThat(refused.errno()).isEqualTo(Errno.ENOMEM));
  }
}
