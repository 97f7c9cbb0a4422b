package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.pagetable.Walk;
import dev.xip.phys.FrameUse;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Entries that no rule can have made are reported, and the machine continues. */
class BadEntriesTest {
  private static final long MINUTE = 60_000_000_000L;

  private long now = 12345;
  private final BadEntries entries =
      new BadEntries(FrameFixture.LAYOUT, List.of(), () -> now, true);

  private void report(int times) throws IOException {
    try (FrameFixture machine = new FrameFixture(FrameStrategy.SPECIAL_BIT)) {
      for (int i = 0; i < times; i++) {
        entries.report(machine.mixed(), 0x1000, 0x25, "number " + i);
      }
    }
  }

  @Test
  void aBurstOfSixtyIsReported() throws IOException {
    report(60);
    assertThat(entries.lines()).hasSize(60);
    assertThat(entries.suppressed()).isZero();
    assertThat(entries.last()).endsWith("number 59");
  }

  @Test
  void theRestOfTheMinuteIsSilentButCounted() throws IOException {
    report(100);
    now += MINUTE - 1;
    report(1);
    assertThat(entries.lines()).hasSize(60);
    assertThat(entries.count()).isEqualTo(101);
    assertThat(entries.suppressed()).isEqualTo(41);
  }

  @Test
  void theNextMinuteSaysHowManyWereLeftOut() throws IOException {
    report(100);
    now += MINUTE;
    report(2);
    assertThat(entries.lines()).hasSize(3);
    assertThat(entries.lines().getFirst()).contains("40 messages suppressed");
    assertThat(entries.last()).endsWith("number 1");
    assertThat(entries.suppressed()).isZero();
  }

  @Test
  void aSteadyDripIsNeverSuppressed() throws IOException {
    for (int i = 0; i < 100; i++) {
      report(30);
      now += MINUTE;
    }
    assertThat(entries.count()).isEqualTo(3000);
    assertThat(entries.suppressed()).isZero();
    assertThat(entries.lines()).hasSize(30);
  }

  /** Flips bits of the entry for an address, in the native memory of its table. */
  private static void flip(FrameFixture machine, AddressSpace space, long va, long bits) {
    Walk walk = new Walk();
    space.table().walk(va, walk);
    MemorySegment window = machine.memory.ram();
    long pte = window.get(ValueLayout.JAVA_LONG, walk.slot());
    window.set(ValueLayout.JAVA_LONG, walk.slot(), pte ^ bits);
  }

  @Test
  void anEntryWithFlippedBitsIsReportedAndTheMachineGoesOn() throws IOException {
    try (FrameFixture machine = new FrameFixture(FrameStrategy.SPECIAL_BIT)) {
      AddressSpace space = machine.manager.newAddressSpace("victim");
      AddrRange range = space.map(MapRequest.privately(machine.file, Access.READ));
      for (int page = 0; page < 3; page++) {
        space.fault(range.start() + page * 4096L, Access.READ);
      }
      long special = FrameFixture.LAYOUT.withSpecial(0);
      flip(machine, space, range.start(), special | 1L << 45);
      Walk walk = new Walk();
      space.table().walk(range.start(), walk);
      Vma vma = space.find(range.start());
      assertThat(machine.manager.normalFrame(vma, range.start(), walk.pte()))
          .isEqualTo(MemoryManager.NO_FRAME);
      assertThat(machine.manager.badEntries().last())
          .startsWith("BUG: Bad page map in space victim: pte 0x")
          .contains("%016x".formatted(walk.pte()))
          .contains("at address 0x%x".formatted(range.start()))
          .contains("vm_flags 0x%x".formatted(vma.flags()))
          .contains("segment-file");

      flip(machine, space, range.start() + 4096, special);
      space.close();
      assertThat(machine.manager.badEntries().lines())
          .hasSize(3)
          .allSatisfy(line -> assertThat(line).contains("in space victim"));
      assertThat(machine.memory.allocator().inUse(FrameUse.TABLE)).isZero();
      AddressSpace next = machine.manager.newAddressSpace("next");
      AddrRange again = next.map(MapRequest.privately(machine.file, Access.READ));
      assertThat(new AddressReader(next).getByte(again.start())).isZero();
      next.close();
    }
  }

  @Test
  void aReportMayBeMadeUnderAnEntryLock() throws IOException {
    try (FrameFixture machine = new FrameFixture(FrameStrategy.SPECIAL_BIT)) {
      machine.manager.lockEntry(machine.slot());
      try {
        machine.manager.normalFrame(
            machine.ordinary(),
            FrameFixture.START,
            FrameFixture.LAYOUT.withSpecial(FrameFixture.normal(machine.frame)));
      } finally {
        machine.manager.unlockEntry(machine.slot());
      }
      assertThat(machine.manager.badEntries().last()).contains("without MIXEDMAP and PFNMAP");
    }
  }
}
