package dev.xip.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Errno;
import dev.xip.bindings.Libc;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The system's own header is the judge of numbers. */
class ErrnoNumbersTest {
  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"OK", "OTHER"})
  void aNumberIsTheHeaders(Errno errno) throws ReflectiveOperationException {
    assertThat(errno.number()).isEqualTo(Libc.class.getMethod(errno.name()).invoke(null));
    assertThat(Errno.of(errno.number())).isEqualTo(errno);
  }
}
