package dev.xip.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

/** Sums are those of the JDK, while the first bytes of a JVM are summed up and afterwards. */
class Crc32cTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());

  /** More than the bytes that the table sums up. */
  private static final int SUMS = 2_000;

  private static final int MOST = 200;

  private final Random random = new Random(SEED);

  private byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  /** The sum that the JDK has of some bytes, before the inversion at its end. */
  private static int byTheJdk(byte[] bytes) {
    CRC32C sum = new CRC32C();
    sum.update(bytes);
    return ~(int) sum.getValue();
  }

  @Test
  void theSumOfBytesIsThatOfTheJdk() {
    for (int i = 0; i < SUMS; i++) {
      byte[] bytes = bytes(i % MOST);
      assertThat(Crc32c.of(~0, bytes)).as("seed %d, sum %d", SEED, i).isEqualTo(byTheJdk(bytes));
    }
  }

  @Test
  void aSumGoesOnFromAnyOther() throws MalformedDataException {
    for (int i = 0; i < SUMS; i++) {
      byte[] bytes = bytes(i % MOST);
      int middle = random.nextInt(bytes.length + 1);
      int first = Crc32c.of(~0, Arrays.copyOf(bytes, middle));
      ByteView view =
          new ByteView(MemorySegment.ofArray(bytes), "bytes", MalformedDataException::new);
      assertThat(Crc32c.of(first, view, middle, bytes.length))
          .as("seed %d, sum %d", SEED, i)
          .isEqualTo(byTheJdk(bytes));
    }
  }

  @Test
  void theBytesOfANumberAreSummedUpFromTheLowest() {
    for (int i = 0; i < SUMS; i++) {
      byte[] bytes = bytes(1 + i % Long.BYTES);
      long number = 0;
      for (int at = bytes.length - 1; at >= 0; at--) {
        number = number << Byte.SIZE | bytes[at] & 0xff;
      }
      assertThat(Crc32c.ofNumber(~0, number, bytes.length))
          .as("seed %d, sum %d", SEED, i)
          .isEqualTo(byTheJdk(bytes));
    }
  }
}
