package dev.xip.phys;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Property 16: the same set of frame numbers, asked of every memory model. */
class MemoryModelsTest {
  private static final long MIB = 1L << 20;
  private static final long WINDOW = 1024 * MIB;
  private static final long RAM = 8 * MIB;

  private PhysicalMemory memory;
  private final List<CountingModel> models =
      List.of(
          new CountingModel(new FlatModel()),
          new CountingModel(new SparseModel(27)),
          new CountingModel(new SparseModel(/* 32 MiB, s390 in 2.6.26 */ 25)),
          new CountingModel(new SortedArrayModel(WINDOW >>> Pages.SHIFT)),
          new CountingModel(new IntendedModel(WINDOW >>> Pages.SHIFT, ListLock.SPIN_LOCK)),
          new CountingModel(new IntendedModel(WINDOW >>> Pages.SHIFT, ListLock.MUTEX)));

  @BeforeEach
  void loadTwoSegments() throws IOException {
    memory = PhysicalMemory.boot(WINDOW, RAM);
    memory.claim("NEAR", new AddrRange(48 * MIB, 50 * MIB), true);
    memory.claim("FAR", new AddrRange(512 * MIB, 520 * MIB), true);
  }

  @AfterEach
  void close() {
    memory.close();
  }

  /** Which models call an address valid. */
  private Map<String, Boolean> ask(long address) {
    Map<String, Boolean> answers = new TreeMap<>();
    for (CountingModel model : models) {
      answers.put(model.name(), model.pfnValid(address >>> Pages.SHIFT));
      assertThat(model.takeQuestions()).isEqualTo(1);
    }
    return answers;
  }

  private static Map<String, Boolean> answers(
      boolean flat, boolean sparse128, boolean sparse32, boolean array, boolean list) {
    return new TreeMap<>(
        Map.of(
            "flat", flat,
            "sparse, 128 MiB", sparse128,
            "sparse, 32 MiB", sparse32,
            "sorted array", array,
            "mem_segs, spin lock", list,
            "mem_segs, mutex", list));
  }

  @Test
  void allAgreeOnRamAndOnASegmentFarFromIt() {
    models.forEach(memory::attach);
    for (long address = 0; address < RAM; address += Pages.SIZE) {
      assertThat(ask(address)).isEqualTo(answers(true, true, true, true, true));
    }
    for (long address = 512 * MIB; address < 520 * MIB; address += Pages.SIZE) {
      assertThat(ask(address)).isEqualTo(answers(false, false, false, false, false));
    }
  }

  @Test
  void onlyLargeSectionsTakeASegmentNearRamForRam() {
    models.forEach(memory::attach);
    assertThat(ask(48 * MIB)).isEqualTo(answers(false, true, false, false, false));
  }

  @Test
  void onlyTheArrayOfSegmentsTakesAHoleForRam() {
    models.forEach(memory::attach);
    assertThat(ask(900 * MIB)).isEqualTo(answers(false, false, false, true, false));
  }

  @Test
  void beforeAnythingIsKnownTheArrayOfSegmentsAloneSaysYes() {
    assertThat(ask(0)).isEqualTo(answers(false, false, false, true, false));
    assertThat(ask(512 * MIB)).isEqualTo(answers(false, false, false, true, false));
  }

  /** Objection d: the kernel's mapping exists, the lists do not. A list that excludes is right. */
  @Test
  void beforeTheListsAreFilledTheArrayOfSegmentsAloneIsWrong() throws IOException {
    try (PhysicalMemory booting = PhysicalMemory.start(WINDOW, RamBanks.of(RAM))) {
      models.forEach(booting::attach);
      booting.reach(BootStep.STATIC_TABLES);
      assertThat(ask(0)).isEqualTo(answers(true, true, true, true, true));
      assertThat(ask(512 * MIB)).isEqualTo(answers(false, false, false, true, false));
    }
  }
}
