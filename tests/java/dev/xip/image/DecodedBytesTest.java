package dev.xip.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A file that is decoded is read at any position, and each extent is decoded once in a row. */
class DecodedBytesTest {
  private static final int EXTENT = 1000;

  /** The extents that were decoded, in the order of the calls. */
  private final List<Long> calls = new ArrayList<>();

  /** Each extent is full of its number; every third one is a hole. */
  private DecodedExtent decode(long offset) {
    long index = offset / EXTENT;
    calls.add(index);
    byte[] bytes = new byte[EXTENT];
    Arrays.fill(bytes, (byte) index);
    return new DecodedExtent(
        index * EXTENT, EXTENT, index % 3 == 0 ? null : MemorySegment.ofArray(bytes));
  }

  @Test
  void readingFromFirstToLastDecodesEachExtentOnce() throws CorruptImageException {
    DecodedBytes bytes = new DecodedBytes(this::decode);
    byte[] read = new byte[10 * EXTENT];
    Arrays.fill(read, (byte) 99);
    for (int at = 0; at < read.length; at += 125) {
      bytes.copy(at, MemorySegment.ofArray(read).asSlice(at), 125);
    }
    for (int i = 0; i < read.length; i++) {
      int index = i / EXTENT;
      assertThat(read[i]).isEqualTo((byte) (index % 3 == 0 ? 0 : index));
    }
    assertThat(calls).containsExactly(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L);
  }

  @Test
  void oneReadMayCrossExtentsAndBeginAnywhere() throws CorruptImageException {
    DecodedBytes bytes = new DecodedBytes(this::decode);
    byte[] read = new byte[2 * EXTENT];
    bytes.copy(4 * EXTENT + 999, MemorySegment.ofArray(read), read.length);
    assertThat(read[0]).isEqualTo((byte) 4);
    assertThat(read[1]).isEqualTo((byte) 5);
    assertThat(read[EXTENT]).isEqualTo((byte) 5);
    assertThat(read[EXTENT + 1]).isZero();
    assertThat(calls).containsExactly(4L, 5L, 6L);
  }
}
