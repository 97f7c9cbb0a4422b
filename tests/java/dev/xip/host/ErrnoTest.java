package dev.xip.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Errno;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ErrnoTest {
  @Test
  void numbersAreThoseOfLinux() {
    assertThat(Errno.of(1)).isEqualTo(Errno.EPERM);
    assertThat(Errno.of(12)).isEqualTo(Errno.ENOMEM);
    assertThat(Errno.of(117)).isEqualTo(Errno.EUCLEAN);
  }

  @Test
  void everyNameStandsForItsOwnNumber() {
    assertThat(Arrays.stream(Errno.values()).map(Errno::number).distinct())
        .hasSize(Errno.values().length);
    assertThat(Errno.values()).allSatisfy(e -> assertThat(Errno.of(e.number())).isEqualTo(e));
  }

  @Test
  void aNumberWithoutANameIsKeptInTheException() {
    assertThat(Errno.of(4000)).isEqualTo(Errno.OTHER);
    HostException failure = new HostException("call", "x=0x1", 4000);
    assertThat(failure.errno()).isEqualTo(Errno.OTHER);
    assertThat(failure.number()).isEqualTo(4000);
    assertThat(failure).hasMessageStartingWith("call(x=0x1): errno 4000 (");
  }
}
