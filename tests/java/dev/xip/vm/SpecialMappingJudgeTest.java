package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.mapping.PhysicalRange;
import dev.xip.pagetable.X8664Of2008Layout;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * rules.md, "A special mapping that every host has": the host kernel performs steps on its [vvar]
 * (tests/native/vvar.c), our machine on a mapping with the same flags, whose entries faults make as
 * there. Row by row the answers are equal, but for the {@link #DEVIATIONS}.
 */
class SpecialMappingJudgeTest {
  private static final long AT = 0x4000_0000;
  private static final int PAGES = 4;
  private static final int MISSING = 77;
  private static final long FLAGS =
      VmaFlags.READ
          | VmaFlags.MAYREAD
          | VmaFlags.PFNMAP
          | VmaFlags.IO
          | VmaFlags.DONTEXPAND
          | VmaFlags.DONTDUMP;

  private static final List<String> STEPS =
      List.of(
          "incore 3",
          "load 0",
          "incore 0",
          "smaps Rss:",
          "smaps Pss:",
          "smaps VmFlags:",
          "pagemap",
          "readv",
          "vmsplice",
          "memory",
          "write",
          "fork",
          "advise 0",
          "advise 1",
          "advise 2",
          "advise 3",
          "advise 4",
          "advise 11",
          "advise 16",
          "advise 17",
          "advise 99",
          "advise 102",
          "advise 103",
          "smaps VmFlags:",
          "advise-page 1",
          "incore 0",
          "lock",
          "unlock",
          "protect 3",
          "protect 5",
          "protect 0",
          "load 0",
          "protect 1",
          "load 0",
          "sync 4",
          "advise 10",
          "fork",
          "grow",
          "move-page",
          "move",
          "load 0",
          "incore 0",
          "unmap",
          "load 0");

  /** Rows for which later releases answer otherwise than 3.19, with what 3.19 answers. */
  private static final Map<String, String> DEVIATIONS =
      Map.of(
          // Today mincore hides the state of pages of files that the caller may not write to, and
          // counts all of [vvar] as resident, which has no file.
          "incore 3",
          "0",
          // Today a special mapping may not be split (special_mapping_split, mm/mmap.c).
          "advise-page 1",
          "ok",
          "move-page",
          "ok");

  /** The machine's side. */
  private static final class Ours {
    private final TestMachine machine;
    private final AddressSpace space;
    private AddrRange range = AddrRange.ofLength(AT, PAGES * Pages.SIZE);

    Ours(TestMachine machine) {
      this.machine = machine;
      this.space = machine.space("test");
      AddrRange device = AddrRange.ofLength(TestMachine.DEVICE, range.length());
      TestMachine.map(
          space, new Vma(range, FLAGS, new PhysicalRange("[vvar]", device, false, false), 0));
    }

    String perform(String step) throws IOException {
      String[] words = step.split(" ");
      int number = words.length > 1 && words[1].matches("[0-9]+") ? Integer.parseInt(words[1]) : 0;
      long page = range.start() + number * Pages.SIZE;
      try {
        return switch (words[0]) {
          case "load" -> load(space, page);
          case "incore" -> space.inCore(AddrRange.ofLength(page, 1)).get(0) ? "1" : "0";
          // Ours has no line for Pss, which is 0 where Rss is.
          case "smaps" -> smaps(words[1].equals("Pss:") ? "Rss:" : words[1]);
          case "pagemap" -> frame(page);
          case "readv", "vmsplice" -> pin(page);
          // mem_rw (fs/proc/base.c) makes EIO of whatever get_user_pages answers.
          case "memory" -> pin(page).equals("ok") ? "ok" : "EIO";
          case "fork" -> forked(page);
          default -> call(words[0], number);
        };
      } catch (MapException e) {
        return e.errno().name();
      }
    }

    private String call(String what, int number) throws IOException {
      AddrRange first = AddrRange.ofLength(range.start(), Pages.SIZE);
      switch (what) {
        case "write" ->
            new AddressReader(space)
                .copy(range.start(), MemorySegment.ofArray(new byte[4096]), 0, Pages.SIZE);
        case "advise" -> space.advise(range, Advice.of(number));
        case "advise-page" -> space.advise(first, Advice.of(number));
        case "protect" ->
            space.protect(
                range, new Access((number & 1) != 0, (number & 2) != 0, (number & 4) != 0));
        case "sync" -> space.sync(range, Set.of(SyncFlag.SYNC));
        case "lock" -> space.lock(range);
        case "unlock" -> space.unlock(range);
        case "grow" ->
            space.remap(
                new RemapRequest(range, range.length() + Pages.SIZE, true, RemapRequest.ANYWHERE));
        case "move-page" -> {
          AddrRange there = space.remap(RemapRequest.to(first, Pages.SIZE, 4 * AT));
          space.remap(RemapRequest.to(there, Pages.SIZE, range.start()));
        }
        case "move" -> {
          // The parts that advice for one page made do not merge again.
          for (Vma part : space.vmas()) {
            space.remap(
                RemapRequest.to(
                    part.range(), part.range().length(), part.range().start() + 2 * AT));
          }
          range = AddrRange.ofLength(3 * AT, range.length());
        }
        case "unmap" -> space.unmap(range);
        default -> throw new IllegalArgumentException(what);
      }
      return "ok";
    }

    private static String load(AddressSpace space, long va) throws IOException {
      try {
        new AddressReader(space).getByte(va);
        return "ok";
      } catch (MemoryFaultException.SegmentationFault e) {
        return "SEGV";
      }
    }

    private String forked(long va) throws IOException {
      try (AddressSpace child = machine.fork(space)) {
        return load(child, va);
      }
    }

    private String pin(long va) throws IOException {
      try {
        space.getUserPages().pin(va, 1, false, true).close();
        return "ok";
      } catch (MapException e) {
        return e.errno().name();
      }
    }

    private String frame(long va) {
      Vma vma = space.find(va);
      return machine.manager.normalFrame(vma, va, TestMachine.entry(space, va))
              == MemoryManager.NO_FRAME
          ? "no frame"
          : "a frame";
    }

    private String smaps(String field) {
      return SpaceMaps.smaps(space)
          .lines()
          .filter(line -> line.startsWith(field))
          .findFirst()
          .orElseThrow()
          .substring(field.length())
          .strip();
    }
  }

  @TestFactory
  Stream<DynamicTest> theHostKernelAnswersTheSameAboutItsOwn() throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("xip.library"))
                    .resolveSibling("tests/vvar")
                    .toString()));
    command.addAll(STEPS);
    Processes.Output asked = Processes.runAny(command.toArray(String[]::new));
    Judge.needs(asked.exit() != MISSING, "a host whose processes have [vvar]");
    assertThat(asked.exit()).as(asked.err()).isZero();
    List<String> theirs = asked.out().lines().toList();
    List<String> ours = new ArrayList<>();
    try (TestMachine machine = new TestMachine()) {
      Ours performing = new Ours(machine);
      for (String step : STEPS) {
        ours.add(performing.perform(step));
        machine.verify();
      }
    }
    return IntStream.range(0, STEPS.size())
        .mapToObj(
            row ->
                DynamicTest.dynamicTest(
                    "%d %s".formatted(row, STEPS.get(row)),
                    () -> compare(STEPS.get(row), theirs.get(row), ours.get(row))));
  }

  private static void compare(String step, String theirs, String ours) {
    Judge.needs(
        !Set.of("EPERM", "EACCES", "ENOSYS").contains(theirs) || theirs.equals(ours),
        "a host that allows the step \"%s\", which is %s here".formatted(step, theirs));
    // Soft-dirty and sealed are flags of later releases, which some hosts set.
    String same = theirs.replaceAll(" (sd|sl)\\b", "").strip();
    assertThat(ours).isEqualTo(DEVIATIONS.getOrDefault(step, same));
  }

  @TestFactory
  Stream<DynamicTest> theAnswersAreTheSameWithoutTheSpecialBit() throws IOException {
    List<String> ours = new ArrayList<>();
    List<String> without = new ArrayList<>();
    try (TestMachine machine = new TestMachine();
        TestMachine bare =
            new TestMachine(
                X8664Of2008Layout.INSTANCE, FrameStrategy.FLAT_IF_MIXED, Rules.DEFAULT)) {
      Ours performing = new Ours(machine);
      Ours barely = new Ours(bare);
      for (String step : STEPS) {
        ours.add(performing.perform(step));
        without.add(barely.perform(step));
      }
    }
    return IntStream.range(0, STEPS.size())
        .mapToObj(
            row ->
                DynamicTest.dynamicTest(
                    "%d %s".formatted(row, STEPS.get(row)),
                    () -> assertThat(without.get(row)).isEqualTo(ours.get(row))));
  }
}
