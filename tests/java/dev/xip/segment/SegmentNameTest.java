package dev.xip.segment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Errno;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SegmentNameTest {
  @ParameterizedTest
  @CsvSource({"a,A", "xipdemo,XIPDEMO", "Mon_1,MON_1", "12345678,12345678", "$#@_,$#@_"})
  void aNameFoldsToUpperCase(String typed, String name) throws SegmentException {
    assertThat(SegmentName.of(typed).value()).isEqualTo(name);
  }

  @Test
  void namesThatDifferInCaseAreEqual() throws SegmentException {
    assertThat(SegmentName.of("demo")).isEqualTo(new SegmentName("DEMO"));
  }

  @Test
  void anEmptyNameIsRefused() {
    refused(() -> SegmentName.of(""), Errno.ENAMETOOLONG, "expected 1 to 8 characters, found none");
  }

  @Test
  void aNameOfNineCharactersIsRefused() {
    refused(() -> SegmentName.of("ABCDEFGHI"), Errno.ENAMETOOLONG, "found 9 characters");
  }

  @ParameterizedTest
  @ValueSource(strings = {"A/B", "..", "A.B", "A B", "é", "ß", "A-B", "A\nB", "A:B", "ı"})
  void aCharacterThatNoNameHasIsRefused(String typed) {
    refused(() -> SegmentName.of(typed), Errno.EINVAL, "expected only letters A to Z, digits and");
  }

  @Test
  void aNulIsRefusedAndShownInOneLine() {
    refused(() -> SegmentName.of("A\0B"), Errno.EINVAL, "found \"\\u0000\" as character 2");
  }

  @Test
  void theConstructorTakesNoLowerCase() {
    assertThatThrownBy(() -> new SegmentName("demo")).isInstanceOf(IllegalArgumentException.class);
  }

  static void refused(ThrowingCallable call, Errno code, String part) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(SegmentException.class, e -> assertThat(e.errno()).isEqualTo(code))
        .hasMessageStartingWith(code + ": ")
        .hasMessageContaining(part)
        .message()
        .doesNotContain("\n", "\0");
  }
}
