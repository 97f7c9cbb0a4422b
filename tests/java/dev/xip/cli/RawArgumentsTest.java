package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RawArgumentsTest {
  @Test
  void textIsLeftAsItIs() {
    String text = "a ä 日本 🦊";
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    assertThat(RawArguments.decode(bytes)).isEqualTo(text);
    assertThat(RawArguments.bytes(text)).isEqualTo(bytes);
    assertThat(RawArguments.recover(new String[] {text})).containsExactly(text);
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
      String text = RawArguments.decode(bytes);
      assertThat(RawArguments.bytes(text)).as("-Dxip.seed=%d, round %d", seed, i).isEqualTo(bytes);
    }
  }

  @Test
  void encodedSurrogatesAndOverlongFormsAreNoText() {
    byte[] surrogate = {(byte) 0xed, (byte) 0xa0, (byte) 0x80};
    byte[] overlong = {(byte) 0xc0, (byte) 0xaf};
    assertThat(RawArguments.decode(surrogate)).hasSize(3);
    assertThat(RawArguments.decode(overlong)).hasSize(2);
    assertThat(RawArguments.bytes(RawArguments.decode(surrogate))).isEqualTo(surrogate);
  }
}
