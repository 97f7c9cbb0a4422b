package dev.xip.segment;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Pages;
import dev.xip.bindings.Segments;
import dev.xip.bindings.xip_segment;
import dev.xip.bindings.xip_segment_part;
import dev.xip.host.Libxip;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Java's segments have the numbers of include/xip/segment.h, and C fills its structs with them. */
class SegmentNumbersTest {
  @ParameterizedTest
  @EnumSource
  void aTypeHasTheHeadersNumber(SegmentType type) throws ReflectiveOperationException {
    assertThat(type.number())
        .isEqualTo(Segments.class.getMethod("XIP_SEGMENT_" + type).invoke(null));
  }

  @ParameterizedTest
  @EnumSource
  void aModeHasTheHeadersNumber(SharingMode mode) throws ReflectiveOperationException {
    assertThat(mode.ordinal())
        .isEqualTo(Segments.class.getMethod("XIP_SEGMENT_" + mode).invoke(null));
  }

  @Test
  void theLimitsAreTheHeaders() {
    assertThat(SegmentName.MAX_LENGTH).isEqualTo(Segments.XIP_SEGMENT_NAME_MAX());
    assertThat(SegmentDefinition.MAX_PARTS).isEqualTo(Segments.XIP_SEGMENT_PARTS_MAX());
    assertThat(WaitLimit.DEFAULT.limit().toMillis()).isEqualTo(Segments.XIP_SEGMENT_WAIT());
  }

  @Test
  void cDescribesASegmentThatJavaDefined(@TempDir Path folder) throws IOException {
    Libxip.get();
    SegmentStore store = SegmentStore.create(folder.resolve("store"));
    StoredSegment ours =
        store.define(SegmentName.of("DEMO"), SegmentType.SR, 3 * Pages.SIZE, SegmentSource.zeros());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = xip_segment.allocate(arena);
      int type =
          Segments.xip_segment_query(
              arena.allocateFrom(store.folder().toString()), arena.allocateFrom("demo"), out);
      assertThat(type).isEqualTo(SegmentType.SR.number());
      assertThat(xip_segment.name(out).getString(0)).isEqualTo("DEMO");
      assertThat(xip_segment.bytes(out)).isEqualTo(3 * Pages.SIZE);
      assertThat(xip_segment.version(out)).isEqualTo(1);
      assertThat(xip_segment.parts(out)).isEqualTo(1);
      MemorySegment part = xip_segment.part(out, 0);
      assertThat(xip_segment_part.last_page(part) - xip_segment_part.first_page(part)).isEqualTo(2);
      assertThat(xip_segment_part.type(part)).isEqualTo(SegmentType.SR.number());
      assertThat(xip_segment.pa(out))
          .isEqualTo(xip_segment_part.first_page(part) << Pages.SHIFT)
          .isEqualTo(ours.definition().range().start());
    }
  }
}
