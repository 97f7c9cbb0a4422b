package dev.xip.segment;

import static dev.xip.segment.SegmentType.EN;
import static dev.xip.segment.SegmentType.ER;
import static dev.xip.segment.SegmentType.EW;
import static dev.xip.segment.SegmentType.EWEN;
import static dev.xip.segment.SegmentType.SC;
import static dev.xip.segment.SegmentType.SN;
import static dev.xip.segment.SegmentType.SR;
import static dev.xip.segment.SegmentType.SW;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.host.Sharing;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SegmentTypeTest {
  @Test
  void typesHaveTheKernelsNumbers() {
    assertThat(Arrays.stream(new SegmentType[] {SW, EW, SR, ER, SN, EN, SC, EWEN}))
        .extracting(SegmentType::number)
        .containsExactlyElementsOf(IntStream.range(0, 8).boxed().toList());
  }

  @Test
  void readOnlyTypesRefuseStoresWhenShared() {
    assertThat(SegmentType.values())
        .filteredOn(type -> !type.isWritable(SharingMode.SHARED))
        .containsExactly(SR, ER, SC);
  }

  @Test
  void onlyScRefusesStoresWhenExclusive() {
    assertThat(SegmentType.values())
        .filteredOn(type -> !type.isWritable(SharingMode.EXCLUSIVE))
        .containsExactly(SC);
  }

  @Test
  void typesWithNKeepNothing() {
    assertThat(SegmentType.values())
        .filteredOn(type -> !type.keepsContents())
        .containsExactly(SN, EN);
  }

  @Test
  void storesReachTheFileOnlyFromSharedTypesLoadedShared() {
    assertThat(SegmentType.values())
        .filteredOn(type -> type.sharing(SharingMode.SHARED) == Sharing.SHARED)
        .containsExactly(SW, SR, SN, SC);
    assertThat(SegmentType.values())
        .allMatch(type -> type.sharing(SharingMode.EXCLUSIVE) == Sharing.PRIVATE);
  }
}
