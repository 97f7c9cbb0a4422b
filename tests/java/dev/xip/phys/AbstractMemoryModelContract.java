package dev.xip.phys;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.testing.Allocations;
import java.io.IOException;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The answers of every model that is right on a healthy machine, and where they differ. */
abstract class AbstractMemoryModelContract {
  static final long MIB = 1L << 20;
  static final long RAM = 8 * MIB;
  static final long WINDOW = 1024 * MIB;
  static final AddrRange SEGMENT = new AddrRange(512 * MIB, 520 * MIB);
  static final AddrRange IN_THE_SECTION_OF_RAM = new AddrRange(16 * MIB, 17 * MIB);

  PhysicalMemory memory;
  MemoryModel model;

  /** A model that was not attached. */
  abstract MemoryModel newModel(long maxPfn);

  /** Whether numbers are valid unless a segment holds them. */
  boolean takesHolesForRam() {
    return false;
  }

  static long pfn(long address) {
    return address >>> Pages.SHIFT;
  }

  @BeforeEach
  void boot() throws IOException {
    memory = PhysicalMemory.boot(WINDOW, RAM);
    model = newModel(pfn(WINDOW));
  }

  @AfterEach
  void close() {
    memory.close();
  }

  @Test
  void ramIsValid() {
    memory.attach(model);
    for (long pfn = 0; pfn < pfn(RAM); pfn++) {
      assertThat(model.pfnValid(pfn)).isTrue();
    }
  }

  @Test
  void aSegmentClaimedAfterwardsIsNotValid() throws IOException {
    memory.attach(model);
    memory.claim("SEGMENT", SEGMENT, true);
    assertThat(model.pfnValid(pfn(SEGMENT.start()))).isFalse();
    assertThat(model.pfnValid(pfn(SEGMENT.end()) - 1)).isFalse();
  }

  @Test
  void aSegmentClaimedBeforeIsNotValidEither() throws IOException {
    memory.claim("SEGMENT", SEGMENT, true);
    memory.attach(model);
    assertThat(model.pfnValid(pfn(SEGMENT.start()))).isFalse();
  }

  @Test
  void aHoleIsValidOnlyWhereSegmentsDecide() throws IOException {
    memory.attach(model);
    Region region = memory.claim("SEGMENT", SEGMENT, true);
    assertThat(model.pfnValid(pfn(SEGMENT.start()) - 1)).isEqualTo(takesHolesForRam());
    assertThat(model.pfnValid(pfn(SEGMENT.end()))).isEqualTo(takesHolesForRam());
    memory.release(region);
    assertThat(model.pfnValid(pfn(SEGMENT.start()))).isEqualTo(takesHolesForRam());
  }

  @Test
  void nothingBeyondTheMachineIsValid() {
    memory.attach(model);
    for (long pfn : new long[] {pfn(WINDOW), 1L << 40, Long.MAX_VALUE, -1, Long.MIN_VALUE}) {
      assertThat(model.pfnValid(pfn)).as("pfn 0x%x", pfn).isFalse();
    }
  }

  /** Objection d: pfn_valid is called during boot, before all memory is known. */
  @Test
  void whileTheMachineBootsRamIsValidAsSoonAsItHasPageFrames() throws IOException {
    try (PhysicalMemory booting = PhysicalMemory.start(WINDOW, RamBanks.of(RAM))) {
      booting.attach(model);
      for (BootStep step : BootStep.values()) {
        booting.reach(step);
        assertThat(model.pfnValid(1))
            .as("RAM, %s", step)
            .isEqualTo(step != BootStep.START || takesHolesForRam());
        assertThat(model.pfnValid(pfn(SEGMENT.start())))
            .as("where a segment will be, %s", step)
            .isEqualTo(takesHolesForRam());
      }
      booting.claim("SEGMENT", SEGMENT, true);
      assertThat(model.pfnValid(pfn(SEGMENT.start()))).isFalse();
    }
  }

  @Test
  void aModelAttachedLateIsToldOfAllThatWasMadeKnown() throws IOException {
    try (PhysicalMemory booting = PhysicalMemory.start(WINDOW, RamBanks.of(RAM))) {
      booting.reach(BootStep.STATIC_TABLES);
      booting.attach(model);
      assertThat(model.pfnValid(1)).isTrue();
      booting.reach(BootStep.SEGMENTS);
      assertThat(model.pfnValid(1)).isTrue();
    }
  }

  @Test
  void aRandomSetOfSegmentsIsKnownToThePage() throws IOException {
    memory.attach(model);
    long seed = Long.getLong("xip.seed", System.nanoTime());
    Random random = new Random(seed);
    boolean[] taken = new boolean[256];
    Region[] regions = new Region[taken.length];
    long first = pfn(SEGMENT.start());
    for (int step = 0; step < 2000; step++) {
      int page = random.nextInt(taken.length);
      if (taken[page]) {
        memory.release(regions[page]);
      } else {
        AddrRange range = AddrRange.ofLength(first + page << Pages.SHIFT, Pages.SIZE);
        regions[page] = memory.claim("PAGE" + page, range, true);
      }
      taken[page] = !taken[page];
      int asked = random.nextInt(taken.length);
      assertThat(model.pfnValid(first + asked))
          .as("step %d, page %d, -Dxip.seed=%d", step, asked, seed)
          .isEqualTo(takesHolesForRam() && !taken[asked]);
    }
  }

  @Test
  void readersSeeASegmentWhileOthersComeAndGo() throws Exception {
    memory.attach(model);
    memory.claim("STAYS", SEGMENT, true);
    AtomicBoolean done = new AtomicBoolean();
    AtomicReference<String> wrong = new AtomicReference<>();
    Thread reader =
        new Thread(
            () -> {
              while (!done.get()) {
                if (model.pfnValid(pfn(SEGMENT.start()) + 5) || !model.pfnValid(5)) {
                  wrong.set("a segment that stays was lost, or RAM was");
                }
              }
            });
    reader.start();
    for (int i = 0; i < 500; i++) {
      Region low = memory.claim("LOW", AddrRange.ofLength(256 * MIB, MIB), true);
      Region high = memory.claim("HIGH", AddrRange.ofLength(768 * MIB, MIB), true);
      memory.release(low);
      memory.release(high);
    }
    done.set(true);
    reader.join();
    assertThat(wrong).hasNullValue();
  }

  @Test
  void aLookUpAllocatesNothing() throws IOException {
    memory.attach(model);
    memory.claim("SEGMENT", SEGMENT, true);
    long allocated =
        Allocations.ofCompiled(
            () -> {
              for (long pfn = 0; pfn < 1000; pfn++) {
                model.pfnValid(pfn);
                model.pfnValid(pfn(SEGMENT.start()) + pfn);
              }
            });
    assertThat(allocated).isZero();
  }
}
