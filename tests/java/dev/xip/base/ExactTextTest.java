package dev.xip.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ExactTextTest {
  @Test
  void textIsLeftAsItIs() {
    String text = "a ä 日本 🦊";
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    assertThat(FileName.of(bytes).exactText()).isEqualTo(text);
    assertThat(FileName.of(text).bytes()).isEqualTo(bytes);
  }

  @Test
  void anyBytesComeBackAsTheyWere() {
    long seed = Long.getLong("xip.seed", System.nanoTime());
    Random random = new Random(seed);
    for (int i = 0; i < 20_000; i++) {
      byte[] bytes = new byte[random.nextInt(12)];
      random.nextBytes(bytes);
      // Lead bytes of long sequences with and without their followers.
      if (bytes.length > 3 && random.nextBoolean()) {
        bytes[0] = (byte) (0xe0 + random.nextInt(0x20));
        bytes[1] = (byte) (0x80 + random.nextInt(0x40));
        bytes[2] = (byte) (0x80 + random.nextInt(0x40));
      }
      String text = FileName.of(bytes).exactText();
      assertThat(FileName.of(text).bytes()).as("-Dxip.seed=%d, round %d", seed, i).isEqualTo(bytes);
    }
  }

  @Test
  void encodedSurrogatesAndOverlongFormsAreNoText() {
    byte[] surrogate = {(byte) 0xed, (byte) 0xa0, (byte) 0x80};
    byte[] overlong = {(byte) 0xc0, (byte) 0xaf};
    assertThat(FileName.of(surrogate).exactText()).hasSize(3);
    assertThat(FileName.of(overlong).exactText()).hasSize(2);
    assertThat(FileName.of(FileName.of(surrogate).exactText()).bytes()).isEqualTo(surrogate);
  }
}
