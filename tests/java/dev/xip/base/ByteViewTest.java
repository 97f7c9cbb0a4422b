package dev.xip.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Names in a file are compared eight bytes at a time, up to its last byte; UUIDs are read. */
class ByteViewTest {
  private static final byte[] BYTES = "0123456789abcdefghijklmn\u00e4\u00ff".getBytes();

  private final ByteView view =
      new ByteView(MemorySegment.ofArray(BYTES), "bytes", MalformedDataException::new);

  private static FileName name(int from, int to) {
    return FileName.of(Arrays.copyOfRange(BYTES, from, to));
  }

  @Test
  void everyRangeHoldsTheNameOfItsBytes() throws MalformedDataException {
    FileName all = FileName.of(BYTES);
    for (int from = 0; from < BYTES.length; from++) {
      for (int to = from + 1; to <= BYTES.length; to++) {
        assertThat(view.holds(from, name(from, to))).isTrue();
        assertThat(view.holds(from, all.part(from, to))).isTrue();
      }
    }
  }

  @Test
  void aNameThatDiffersInOneByteIsNotHeld() throws MalformedDataException {
    for (int length = 1; length < BYTES.length; length++) {
      for (int i = 0; i < length; i++) {
        byte[] other = Arrays.copyOf(BYTES, length);
        other[i] ^= (byte) 0x80;
        assertThat(view.holds(0, FileName.of(other))).isFalse();
      }
    }
  }

  @Test
  void wordsOfNameAndFileAreTheSame() throws MalformedDataException {
    FileName all = FileName.of(BYTES);
    for (int from = 0; from < BYTES.length; from++) {
      for (int to = from + 1; to <= BYTES.length; to++) {
        long word = view.word(from, to - from);
        assertThat(name(from, to).word(0)).isEqualTo(word);
        assertThat(all.part(0, to).word(from)).isEqualTo(word);
        for (int i = 0; i < Long.BYTES; i++) {
          long expected = from + i < to ? BYTES[from + i] & 0xff : 0;
          assertThat(word >>> i * Byte.SIZE & 0xff).isEqualTo(expected);
        }
      }
    }
  }

  @Test
  void uuidsAreWrittenAsTheJdkWritesThem() throws MalformedDataException {
    ByteBuffer bytes = ByteBuffer.wrap(BYTES);
    for (int from = 0; from <= BYTES.length - 16; from++) {
      UUID same = new UUID(bytes.getLong(from), bytes.getLong(from + 8));
      assertThat(view.uuid(from)).isEqualTo(same.toString());
    }
  }

  @Test
  void aWordPastTheEndIsDamage() {
    for (int length = 1; length <= 9; length++) {
      int most = length;
      assertThatExceptionOfType(MalformedDataException.class)
          .isThrownBy(() -> view.word(BYTES.length - Math.min(most, 8) + 1, most));
      assertThatExceptionOfType(MalformedDataException.class).isThrownBy(() -> view.word(-1, most));
    }
  }

  @Test
  void aSlashOrNulIsSeenInEveryPlaceAndNothingElseIs() {
    for (int length = 1; length <= 8; length++) {
      for (int place = 0; place < length; place++) {
        for (int value = 0; value < 256; value++) {
          byte[] bytes = "\u002e0\u007f\u0001aA.0".getBytes();
          bytes[place] = (byte) value;
          FileName name = FileName.of(Arrays.copyOf(bytes, length));
          assertThat(FileName.hasSlashOrNul(name.word(0), length))
              .as("0x%02x in byte %d of %d", value, place, length)
              .isEqualTo(value == '/' || value == 0);
        }
      }
    }
  }

  @Test
  void aNameIsCopiedUpToTheLastByteOfTheFile() throws MalformedDataException {
    for (int from = 0; from < BYTES.length; from++) {
      for (int to = from; to <= BYTES.length; to++) {
        assertThat(view.name(from, to - from)).isEqualTo(name(from, to));
      }
    }
  }
}
