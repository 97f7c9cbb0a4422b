package dev.xip.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A block map answers for every byte of a file, in extents, between them and after the last. */
class BlockMapTest {
  private static final BlockMap MAP = map();

  private static BlockMap map() {
    BlockMap.Builder builder = new BlockMap.Builder();
    builder.add(4096, 40960, 4096);
    builder.add(8192, 45056, 4096);
    builder.add(20480, 4096, 8192);
    return builder.build(Verdict.IN_PLACE);
  }

  @Test
  void neighboursInFileAndImageAreOneExtent() {
    assertThat(MAP.extentCount()).isEqualTo(2);
    assertThat(MAP.extent(0)).isEqualTo(new Extent(4096, 40960, 8192));
    assertThat(MAP.alignedBytes(1)).isEqualTo(16384);
  }

  @Test
  void aByteLiesInItsExtent() {
    assertThat(MAP.imageOffset(4096)).isEqualTo(40960);
    assertThat(MAP.imageOffset(12287)).isEqualTo(49151);
    assertThat(MAP.runLength(12287)).isEqualTo(1);
    assertThat(MAP.runLength(20480)).isEqualTo(8192);
  }

  @Test
  void onlyWholeUnitsOfFileAndImageThatAgreeAreAligned() {
    BlockMap.Builder builder = new BlockMap.Builder();
    builder.add(4096, 20480, 20480); // units 1 and 2 of 8192 bytes, less half a unit before
    builder.add(24576, 45056, 16384); // half a unit off
    builder.add(49152, 65536, 8192);
    builder.add(61440, 77824, 4096);
    BlockMap map = builder.build(Verdict.IN_PLACE);
    assertThat(map.alignedBytes(8192)).isEqualTo(16384 + 8192);
    assertThat(map.alignedBytes(4096)).isEqualTo(map.alignedBytes(1));
    assertThat(map.alignedBytes(16384)).isZero();
  }

  @Test
  void betweenExtentsIsAHole() {
    assertThat(MAP.imageOffset(0)).isEqualTo(-1);
    assertThat(MAP.runLength(0)).isEqualTo(4096);
    assertThat(MAP.imageOffset(12288)).isEqualTo(-1);
    assertThat(MAP.runLength(12288)).isEqualTo(8192);
  }

  @Test
  void afterTheLastExtentTheHoleHasNoEnd() {
    assertThat(MAP.imageOffset(28672)).isEqualTo(-1);
    assertThat(MAP.runLength(28672)).isEqualTo(Long.MAX_VALUE - 28672);
  }

  @Test
  void everyByteIsFoundHoweverUnlikeTheExtentsAre() {
    long seed = Long.getLong("xip.seed", System.nanoTime());
    Random random = new Random(seed);
    for (int round = 0; round < 50; round++) {
      BlockMap.Builder builder = new BlockMap.Builder();
      List<Extent> extents = new ArrayList<>();
      long at = random.nextInt(3);
      for (int i = random.nextInt(60); i > 0; i--) {
        long length = 1 + random.nextInt(random.nextInt(8) == 0 ? 200 : 3);
        extents.add(new Extent(at, 1_000_000 - 500L * i, length));
        builder.add(at, 1_000_000 - 500L * i, length);
        at += length + random.nextInt(3);
      }
      BlockMap map = builder.build(Verdict.IN_PLACE);
      for (long offset = 0; offset < at + 3; offset++) {
        long byteAt = offset;
        long expected =
            extents.stream()
                .filter(e -> e.fileOffset() <= byteAt && byteAt < e.fileEnd())
                .mapToLong(e -> e.imageOffset() + byteAt - e.fileOffset())
                .findFirst()
                .orElse(-1);
        assertThat(map.imageOffset(offset)).as("-Dxip.seed=%d", seed).isEqualTo(expected);
      }
    }
  }

  @Test
  void aUnitThatIsNoPowerOfTwoIsRefused() {
    for (long unit : new long[] {0, -1, 3, Long.MIN_VALUE, Long.MAX_VALUE}) {
      assertThatThrownBy(() -> MAP.alignedBytes(unit))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("power of two");
    }
  }

  @Test
  void extentsOutOfOrderAreRefused() {
    BlockMap.Builder builder = new BlockMap.Builder();
    builder.add(4096, 0, 4096);
    assertThatThrownBy(() -> builder.add(8191, 8192, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("0x1fff");
  }
}
