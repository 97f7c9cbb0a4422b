package dev.xip.segment;

import static dev.xip.segment.SegmentNameTest.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import java.util.Collections;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class SegmentDefinitionTest {
  private static final SegmentName NAME = new SegmentName("DEMO");

  private static SegmentPart part(SegmentType type, long first, long last) {
    return new SegmentPart(type, first, last);
  }

  @Test
  void aPartCountsItsLastPage() {
    SegmentPart part = part(SegmentType.SR, 0x100, 0x1ff);
    assertThat(part.pages()).isEqualTo(0x100);
    assertThat(part.range()).isEqualTo(new AddrRange(0x100000, 0x200000));
  }

  @Test
  void aReversedPartIsRefused() {
    refused(() -> SegmentPart.of(SegmentType.SR, 2, 1), Errno.EINVAL, "found a reversed range");
  }

  @Test
  void aPartBeyondFiftyTwoBitsIsRefused() {
    refused(
        () -> SegmentPart.of(SegmentType.SR, 0, 1L << 40), Errno.ERANGE, "pages 0 to ffffffffff");
    refused(() -> SegmentPart.of(SegmentType.SR, -1, 1), Errno.ERANGE, "a page outside");
  }

  @Test
  void noPartIsOfTheMixedType() {
    refused(() -> SegmentPart.of(SegmentType.EWEN, 0, 1), Errno.EINVAL, "found EWEN");
  }

  @Test
  void onePartMayBeOfAnyType() throws SegmentException {
    for (SegmentType type : SegmentType.values()) {
      if (type != SegmentType.EWEN) {
        assertThat(SegmentDefinition.of(NAME, List.of(part(type, 5, 5))).type()).isEqualTo(type);
      }
    }
  }

  @Test
  void sixAdjacentPartsAreAllowedAndMixed() throws SegmentException {
    SegmentDefinition definition =
        SegmentDefinition.of(
            NAME,
            List.of(
                part(SegmentType.EW, 0x10, 0x1f),
                part(SegmentType.EN, 0x20, 0x20),
                part(SegmentType.EW, 0x21, 0x2f),
                part(SegmentType.EN, 0x30, 0x3f),
                part(SegmentType.EN, 0x40, 0x4f),
                part(SegmentType.EW, 0x50, 0x5f)));
    assertThat(definition.type()).isEqualTo(SegmentType.EWEN);
    assertThat(definition.range()).isEqualTo(new AddrRange(0x10000, 0x60000));
  }

  @Test
  void sevenPartsAreRefused() {
    List<SegmentPart> seven =
        LongStream.range(0, 7).mapToObj(page -> part(SegmentType.EW, page, page)).toList();
    refused(() -> SegmentDefinition.of(NAME, seven), Errno.EOPNOTSUPP, "found 7");
  }

  @Test
  void noPartsAreRefused() {
    refused(() -> SegmentDefinition.of(NAME, List.of()), Errno.EINVAL, "found none");
  }

  @Test
  void severalPartsOfASharedTypeAreRefused() {
    refused(
        () ->
            SegmentDefinition.of(
                NAME, List.of(part(SegmentType.EW, 0, 1), part(SegmentType.SR, 2, 3))),
        Errno.EOPNOTSUPP,
        "only EW and EN among several parts");
  }

  @Test
  void aGapBetweenPartsIsRefused() {
    refused(
        () ->
            SegmentDefinition.of(
                NAME, List.of(part(SegmentType.EW, 0, 1), part(SegmentType.EW, 3, 4))),
        Errno.EOPNOTSUPP,
        "part 2 to start at page 2, found part 3-4 EW");
  }

  @Test
  void overlappingPartsAreRefused() {
    refused(
        () ->
            SegmentDefinition.of(
                NAME, List.of(part(SegmentType.EW, 0, 5), part(SegmentType.EW, 5, 9))),
        Errno.EINVAL,
        "part 2 to start at page 6");
  }

  @Test
  void theConstructorsHaveTheSameRules() {
    assertThatThrownBy(() -> part(SegmentType.SR, 2, 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new SegmentDefinition(NAME, Collections.emptyList()))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
