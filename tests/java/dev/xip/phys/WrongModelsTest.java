package dev.xip.phys;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The models whose answers are wrong on a healthy machine, and the list with a mark. */
class WrongModelsTest {
  private static final long MIB = 1L << 20;
  private static final long MAX_PFN = 1024 * MIB >>> Pages.SHIFT;
  private static final AddrRange SEGMENT = new AddrRange(512 * MIB, 513 * MIB);
  private static final long RAM_PFN = 5;
  private static final long SEGMENT_PFN = SEGMENT.start() + MIB / 2 >>> Pages.SHIFT;
  private static final long HOLE_PFN = 256 * MIB >>> Pages.SHIFT;

  private PhysicalMemory memory;
  private Region segment;

  @BeforeEach
  void boot() throws IOException {
    memory = PhysicalMemory.boot(1024 * MIB, 8 * MIB);
    segment = memory.claim("SEGMENT", SEGMENT, true);
  }

  @AfterEach
  void close() {
    memory.close();
  }

  private <T extends MemoryModel> T attached(T model) {
    memory.attach(model);
    return model;
  }

  @Test
  void lraSaysYesToALoadedSegmentAndNoToAHole() throws IOException {
    LraModel model = attached(new LraModel(MAX_PFN));
    assertThat(model.pfnValid(RAM_PFN)).isTrue();
    assertThat(model.pfnValid(SEGMENT_PFN)).isTrue();
    assertThat(model.pfnValid(HOLE_PFN)).isFalse();
    for (long pfn : new long[] {-1, MAX_PFN, Long.MAX_VALUE, Long.MIN_VALUE}) {
      assertThat(model.pfnValid(pfn)).isFalse();
    }
    memory.release(segment);
    assertThat(model.pfnValid(SEGMENT_PFN)).isFalse();
  }

  @Test
  void lraKnowsItsMappingToThePage() {
    LraModel model = new LraModel(1 << 18);
    boolean[] mapped = new boolean[1 << 18];
    long seed = Long.getLong("xip.seed", System.nanoTime());
    Random random = new Random(seed);
    for (int step = 0; step < 200; step++) {
      int first = random.nextInt(mapped.length);
      int end = Math.min(mapped.length, first + 1 + random.nextInt(1 << random.nextInt(18)));
      AddrRange range = new AddrRange((long) first << Pages.SHIFT, (long) end << Pages.SHIFT);
      boolean map = random.nextBoolean();
      if (map) {
        model.map(range);
      } else {
        model.unmap(range);
      }
      java.util.Arrays.fill(mapped, first, end, map);
    }
    for (int pfn = 0; pfn < mapped.length; pfn++) {
      assertThat(model.pfnValid(pfn)).as("pfn %d, -Dxip.seed=%d", pfn, seed).isEqualTo(mapped[pfn]);
    }
  }

  /** The range test of the mail is never true: the walk excludes no page at all. */
  @ParameterizedTest
  @EnumSource
  void asPostedEveryPageIsAnsweredAsByLra(ListLock lock) {
    PostedModel posted = attached(new PostedModel(MAX_PFN, lock));
    LraModel lra = attached(new LraModel(MAX_PFN));
    for (long pfn = 0; pfn < MAX_PFN; pfn++) {
      if (posted.pfnValid(pfn) != lra.pfnValid(pfn)) {
        assertThat(pfn).as("excluded").isNull();
      }
    }
    assertThat(posted.pfnValid(SEGMENT_PFN)).isTrue();
  }

  /** RAM is on the list as well, so the answer about it turns over during boot. */
  @ParameterizedTest
  @EnumSource
  void withTheTestPutRightNoPageIsValidOnceTheListIsFilled(ListLock lock) throws IOException {
    CorrectedModel corrected = attached(new CorrectedModel(MAX_PFN, lock));
    for (long pfn = 0; pfn < MAX_PFN; pfn++) {
      assertThat(corrected.pfnValid(pfn)).isFalse();
    }
    CorrectedModel early = new CorrectedModel(MAX_PFN, lock);
    assertThat(stepsAtWhichRamIsValid(early)).containsExactly(BootStep.STATIC_TABLES);
  }

  /** Objection d: RAM is not valid before a core_initcall puts it on the list. */
  @ParameterizedTest
  @EnumSource
  void byTheListAloneRamIsNotValidUntilTheListIsFilled(ListLock lock) throws IOException {
    assertThat(stepsAtWhichRamIsValid(new ListedModel(MAX_PFN, lock)))
        .containsExactly(BootStep.MEMORY_CHUNKS, BootStep.SEGMENTS);
    ListedModel late = attached(new ListedModel(MAX_PFN, lock));
    assertThat(late.pfnValid(RAM_PFN)).isTrue();
    assertThat(late.pfnValid(SEGMENT_PFN)).isFalse();
    assertThat(late.pfnValid(HOLE_PFN)).isFalse();
  }

  private static List<BootStep> stepsAtWhichRamIsValid(MemoryModel model) throws IOException {
    List<BootStep> valid = new ArrayList<>();
    try (PhysicalMemory booting = PhysicalMemory.start(1024 * MIB, RamBanks.of(8 * MIB))) {
      booting.attach(model);
      for (BootStep step : BootStep.values()) {
        booting.reach(step);
        if (model.pfnValid(RAM_PFN)) {
          valid.add(step);
        }
      }
    }
    return valid;
  }

  @Test
  void theMarkOnTheListTellsSegmentsFromRam() throws IOException {
    RefcountListModel list = attached(new RefcountListModel(MAX_PFN));
    assertThat(list.mixedmapRefcountPfn(RAM_PFN)).isTrue();
    assertThat(list.mixedmapRefcountPfn(SEGMENT_PFN)).isFalse();
    assertThat(list.mixedmapRefcountPfn(HOLE_PFN)).as("on no chunk").isTrue();
    assertThat(list.pfnValid(SEGMENT_PFN)).as("pfn_valid stays LRA").isTrue();
    memory.release(segment);
    assertThat(list.mixedmapRefcountPfn(SEGMENT_PFN)).isTrue();
  }

  @Test
  void aChunkIsFoundFromItsFirstToItsLastPage() throws IOException {
    RefcountListModel list = attached(new RefcountListModel(MAX_PFN));
    Region next = memory.claim("NEXT", new AddrRange(513 * MIB, 514 * MIB), true);
    memory.claim("PAGE", AddrRange.ofLength(600 * MIB, Pages.SIZE), true);
    long first = SEGMENT.start() >>> Pages.SHIFT;
    long end = next.range().end() >>> Pages.SHIFT;
    assertThat(list.mixedmapRefcountPfn(first - 1)).isTrue();
    assertThat(list.mixedmapRefcountPfn(first)).isFalse();
    memory.release(next);
    assertThat(list.mixedmapRefcountPfn(end - 257)).isFalse();
    assertThat(list.mixedmapRefcountPfn(end - 256)).isTrue();
    assertThat(list.mixedmapRefcountPfn(600 * MIB >>> Pages.SHIFT)).isFalse();
    assertThat(list.mixedmapRefcountPfn((600 * MIB >>> Pages.SHIFT) + 1)).isTrue();
  }
}
