package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PrintableTest {
  @ParameterizedTest
  @ValueSource(strings = {"", "plain ~", "ä 日本 🦊", "\\x1b", "e\u0301", "\ufffd"})
  void visibleCharactersStayAsTheyAre(String text) {
    assertThat(Printable.onTerminal(text)).isEqualTo(text);
    assertThat(Printable.onOneLine(text)).isEqualTo(text);
  }

  @Test
  void aTerminalGetsNoCharacterThatItObeys() {
    for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
      String shown = Printable.onTerminal("a" + Character.toString(c) + "b");
      boolean harmful =
          c < 0x20
              || c >= 0x7f && c < 0xa0
              || c == 0x061c
              || c >= 0x200b && c <= 0x200f
              || c >= 0x2028 && c <= 0x202e
              || c >= 0x2060 && c <= 0x206f && Character.isDefined(c)
              || c == 0xfeff
              || c >= 0xe0001 && c <= 0xe007f && Character.isDefined(c)
              || c >= 0xd800 && c < 0xe000;
      if (harmful) {
        assertThat(shown).as("U+%04x", c).matches("a\\\\[xuU][0-9a-f]{2,8}b");
      }
      assertThat(shown.chars().anyMatch(Character::isISOControl)).as("U+%04x", c).isFalse();
    }
  }

  @Test
  void aByteOutsideUtf8IsEscapedOnATerminalAndKeptElsewhere() {
    assertThat(Printable.onTerminal("a\udc9bb")).isEqualTo("a\\x9bb");
    assertThat(Printable.bytes("a\udc9bb")).isEqualTo(new byte[] {'a', (byte) 0x9b, 'b'});
  }

  @Test
  void anErrorIsAlwaysOneLine() {
    String broken = "a\nb\rc\u0085d\u2028e\u2029f\u000bg\fh\u001ci";
    assertThat(Printable.onOneLine(broken))
        .isEqualTo("a\\x0ab\\x0dc\\u0085d\\u2028e\\u2029f\\x0bg\\x0ch\\x1ci");
    String ours = "a\u202eb";
    assertThat(Printable.bytes(Printable.onOneLine(ours)))
        .isEqualTo(ours.getBytes(StandardCharsets.UTF_8));
  }
}
