package dev.xip.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
    assertThat(MAP.mappedBytes()).isEqualTo(16384);
  }

  @Test
  void aByteLiesInItsExtent() {
    assertThat(MAP.imageOffset(4096)).isEqualTo(40960);
    assertThat(MAP.imageOffset(12287)).isEqualTo(49151);
    assertThat(MAP.runLength(12287)).isEqualTo(1);
    assertThat(MAP.runLength(20480)).isEqualTo(8192);
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
  void extentsOutOfOrderAreRefused() {
    BlockMap.Builder builder = new BlockMap.Builder();
    builder.add(4096, 0, 4096);
    assertThatThrownBy(() -> builder.add(8191, 8192, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("0x1fff");
  }
}
