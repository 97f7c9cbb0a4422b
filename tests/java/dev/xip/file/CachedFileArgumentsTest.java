package dev.xip.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Pages;
import dev.xip.phys.PhysicalMemory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A call with wrong arguments fails, and leaves a file through the page cache as it was. */
class CachedFileArgumentsTest {
  private PhysicalMemory memory;
  private CachedFile file;

  @BeforeEach
  void boot() throws IOException {
    memory = PhysicalMemory.boot(64L << 20, 64 * Pages.SIZE);
    file = new PageCache(memory).create("f");
    file.write(0, MemorySegment.ofArray(new byte[100]));
  }

  @AfterEach
  void noPageIsLocked() throws IOException {
    var page = file.tryLock(0);
    assertThat(page).as("page 0, unless it is locked").isNotNull();
    page.unlock();
    file.truncate(0);
    assertThat(memory.allocator().inUse()).isZero();
    memory.close();
  }

  private static MemorySegment closed() {
    try (Arena arena = Arena.ofConfined()) {
      return arena.allocate(8);
    }
  }

  @Test
  void bytesThatAreClosedAreNotWritten() {
    assertThatThrownBy(() -> file.write(50, closed())).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> file.write(2 * Pages.SIZE, closed()))
        .isInstanceOf(IllegalStateException.class);
    assertThat(file.size()).isEqualTo(100);
  }

  @Test
  void aDestinationThatIsClosedOrReadOnlyIsNotReadInto() {
    assertThatThrownBy(() -> file.read(0, closed())).isInstanceOf(IllegalStateException.class);
    MemorySegment readOnly = MemorySegment.ofArray(new byte[8]).asReadOnly();
    assertThatIllegalArgumentException().isThrownBy(() -> file.read(0, readOnly));
  }

  @Test
  void numbersThatAreNegativeOrTooLargeAreRefused() {
    MemorySegment bytes = MemorySegment.ofArray(new byte[8]);
    assertThatIllegalArgumentException().isThrownBy(() -> file.read(-1, bytes));
    assertThatIllegalArgumentException().isThrownBy(() -> file.write(-1, bytes));
    assertThatIllegalArgumentException().isThrownBy(() -> file.truncate(-1));
    assertThatIllegalArgumentException().isThrownBy(() -> file.punchHole(-1, 1));
    assertThatIllegalArgumentException().isThrownBy(() -> file.punchHole(0, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> file.invalidate(0, -1));
    assertThatThrownBy(() -> file.write(Long.MAX_VALUE - 4, bytes)).hasMessageContaining("EFBIG");
    assertThatThrownBy(() -> file.truncate(Long.MAX_VALUE)).hasMessageContaining("EFBIG");
    assertThat(file.size()).isEqualTo(100);
  }

  @Test
  void rangesUpToTheLargestNumberAreTaken() throws IOException {
    file.punchHole(1, Long.MAX_VALUE);
    file.invalidate(Long.MAX_VALUE, Long.MAX_VALUE);
    file.readAhead(Long.MAX_VALUE, Long.MAX_VALUE);
    assertThat(file.frame(Long.MAX_VALUE)).isNegative();
    assertThat(file.frame(-1)).isNegative();
    assertThat(file.tryLock(-1)).isNull();
    assertThat(file.read(Long.MAX_VALUE, MemorySegment.ofArray(new byte[8]))).isZero();
    assertThat(file.translate(Long.MAX_VALUE).isHole()).isTrue();
  }
}
