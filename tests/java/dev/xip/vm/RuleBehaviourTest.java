package dev.xip.vm;

import static dev.xip.vm.TestMachine.ANONYMOUS;
import static dev.xip.vm.TestMachine.PRIVATE;
import static dev.xip.vm.TestMachine.SHARED;
import static dev.xip.vm.TestMachine.entry;
import static dev.xip.vm.TestMachine.map;
import static dev.xip.vm.TestMachine.read;
import static dev.xip.vm.TestMachine.write;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.base.Pfn;
import dev.xip.file.MemoryFile;
import dev.xip.phys.FrameUse;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Each rule, with and without it: what one and the same history shows. The other rules are those of
 * the default, with one page for a fault and no huge leaves.
 */
class RuleBehaviourTest {
  private static final long AT = 0x40_0000;

  private static final Rules OTHERS =
      Rules.DEFAULT.withFaultAround(1).without(Rule.HUGE_LEAVES, Rule.MIXED_MAPS_ARE_SPECIAL);

  /** The rules whose two sides take more than a history. */
  private static final Map<Rule, Class<?>> ELSEWHERE =
      Map.ofEntries(
          Map.entry(Rule.FAULT_HOLDS_FILE_LOCK, TruncateRaceTest.class),
          Map.entry(Rule.SPARSE_PAGE_GUARDED, HoleProtocolTest.class),
          Map.entry(Rule.HUGE_LEAVES, HugeLeavesTest.class),
          Map.entry(Rule.CACHE_FAULT_AROUND, CacheFaultTest.class),
          Map.entry(Rule.HUGE_PFN_MAPS, FollowedPfnTest.class),
          Map.entry(Rule.DEVICE_MAPS_NOT_DUMPED, DeviceMapTest.class),
          Map.entry(Rule.GUARD_REGIONS, GuardRegionsTest.class),
          Map.entry(Rule.GUARD_REGIONS_ANYWHERE, GuardRegionsTest.class),
          Map.entry(Rule.GUARD_FLAG, GuardRegionsTest.class),
          Map.entry(Rule.MPROTECT_KEEPS_SPECIAL, HistoricalBugsTest.class),
          Map.entry(Rule.SHARED_STORE_IN_PLACE, HistoricalBugsTest.class),
          Map.entry(Rule.GET_USER_PAGES_ENDS, HistoricalBugsTest.class),
          Map.entry(Rule.LOCKED_COPY_CHECKS_FRAME, HistoricalBugsTest.class));

  /** A history, and what it shows. */
  @FunctionalInterface
  private interface History {
    Object run(TestMachine machine, AddressSpace space) throws Exception;
  }

  private record Sides(History history, Object with, Object without) {}

  private static final Map<Rule, Sides> HISTORIES = new EnumMap<>(Rule.class);

  static {
    HISTORIES.put(
        Rule.FORK_WALKS_MIXED_MAPS,
        new Sides(RuleBehaviourTest::childHasEntry, "an entry", "none"));
    HISTORIES.put(
        Rule.INSERTION_MAKES_MIXED,
        new Sides(RuleBehaviourTest::insertedFlags, "mm", "INSERTPAGE"));
    HISTORIES.put(
        Rule.MIXED_MAPS_ARE_SPECIAL,
        new Sides(RuleBehaviourTest::neighbours, "2, not locked", "1, locked"));
    HISTORIES.put(
        Rule.FORK_FLUSHES_FOR_CHANGES, new Sides(RuleBehaviourTest::flushesOfFork, 0L, 1L));
    HISTORIES.put(
        Rule.ZERO_PAGE, new Sides(RuleBehaviourTest::loadOfAnonymous, "special, 0", "normal, 1"));
    HISTORIES.put(
        Rule.PRIVATE_HOLE_COPIED_AT_ONCE,
        new Sides((m, space) -> faultsOfStore(space, m.holes("f", 1)), 1L, 2L));
    HISTORIES.put(
        Rule.PRIVATE_STORE_COPIES_AT_ONCE,
        new Sides((m, space) -> faultsOfStore(space, m.file("f", 1)), 1L, 2L));
    HISTORIES.put(
        Rule.SECOND_INSERTER_TOLERATED,
        new Sides(RuleBehaviourTest::twoInserters, "PRESENT", "BUG: xip_file_fault"));
    HISTORIES.put(
        Rule.INVALIDATION_EMPTIES_HOLES, new Sides(RuleBehaviourTest::invalidatedHole, 0L, 1L));
    HISTORIES.put(
        Rule.MLOCK_ANSWERS_ENOMEM,
        new Sides((m, space) -> lock(space, m.file("f", 1), 2), Errno.ENOMEM, Errno.EFAULT));
    HISTORIES.put(
        Rule.POPULATE_SPARES_SHARED, new Sides(RuleBehaviourTest::populatedShared, false, true));
    HISTORIES.put(
        Rule.POPULATE_PASSES_SPECIAL, new Sides(RuleBehaviourTest::populatedPages, 4L, 1L));
    HISTORIES.put(
        Rule.MLOCK_PASSES_SPECIAL,
        new Sides((m, space) -> lock(space, m.file("f", 2), 2), Errno.OK, Errno.ENOMEM));
    HISTORIES.put(
        Rule.FAST_GET_USER_PAGES, new Sides(RuleBehaviourTest::fastUnderMapLock, "ends", "waits"));
    HISTORIES.put(
        Rule.FORCED_STORE_NEEDS_PRIVATE,
        new Sides(RuleBehaviourTest::forcedIntoShared, Errno.EFAULT, "a private copy"));
    HISTORIES.put(
        Rule.GET_USER_PAGES_ANSWERS_EEXIST,
        new Sides(RuleBehaviourTest::getSpecial, Errno.EEXIST, Errno.EFAULT));
    HISTORIES.put(
        Rule.FIXED_NOREPLACE, new Sides(RuleBehaviourTest::mapAtTaken, Errno.EEXIST, "elsewhere"));
    HISTORIES.put(Rule.MREMAP_GROWTH_MERGES, new Sides(RuleBehaviourTest::growNext, 1, 2));
    HISTORIES.put(
        Rule.MREMAP_CHECKS_FIRST,
        new Sides(RuleBehaviourTest::moveNothing, "EFAULT, target kept", "EFAULT, target cleared"));
    HISTORIES.put(
        Rule.SHARED_STORE_TAKES_ONE_FAULT,
        new Sides(RuleBehaviourTest::faultsOfSharedStore, 1L, 2L));
    HISTORIES.put(
        Rule.HOLES_SHOW_ZERO_PAGE,
        new Sides(RuleBehaviourTest::loadOfHole, "ZERO, 0", "SPARSE, 1"));
    HISTORIES.put(
        Rule.MAP_COUNT_DROPS_AFTER_FLUSH, new Sides(RuleBehaviourTest::countBeforeFlush, 1, 0));
    HISTORIES.put(
        Rule.BAD_ENTRY_REPORTS_LIMITED,
        new Sides(RuleBehaviourTest::reports, BadEntries.BURST, BadEntries.BURST + 10));
  }

  @TestFactory
  Stream<DynamicTest> aRuleMakesItsDifference() {
    List<DynamicTest> tests = new ArrayList<>();
    HISTORIES.forEach(
        (rule, sides) -> {
          tests.add(test("with " + rule, OTHERS.with(rule), sides.history, sides.with));
          tests.add(test("without " + rule, OTHERS.without(rule), sides.history, sides.without));
        });
    return tests.stream();
  }

  private static DynamicTest test(String name, Rules rules, History history, Object expected) {
    return DynamicTest.dynamicTest(
        name + ": " + expected,
        () -> {
          try (TestMachine machine = new TestMachine(rules)) {
            AddressSpace space = machine.space("test");
            assertThat(history.run(machine, space)).isEqualTo(expected);
          }
        });
  }

  @Test
  void noRuleIsWithoutATest() {
    List<Rule> tested = new ArrayList<>(HISTORIES.keySet());
    tested.addAll(ELSEWHERE.keySet());
    assertThat(tested).containsExactlyInAnyOrder(Rule.values());
  }

  private static Object childHasEntry(TestMachine machine, AddressSpace space) {
    map(space, AT, 1, PRIVATE, machine.file("f", 1));
    read(space, AT);
    AddressSpace child = machine.fork(space);
    String seen = child.table().layout().isEmpty(entry(child, AT)) ? "none" : "an entry";
    assertThat(read(child, AT)).isEqualTo(1);
    return seen;
  }

  private static Object insertedFlags(TestMachine machine, AddressSpace space) {
    map(space, AT, 1, PRIVATE & ~VmaFlags.MIXEDMAP, machine.file("f", 1));
    long pfn = machine.memory.allocator().allocate(FrameUse.PAGE_CACHE);
    assertThat(space.insertFrame(AT, new Pfn(pfn))).isEqualTo(Errno.OK);
    AddressSpace child = machine.fork(space);
    assertThat(entry(child, AT)).as("fork walks it").isNotEqualTo(0);
    Vma vma = space.find(AT);
    String seen = vma.has(VmaFlags.INSERTPAGE) ? "INSERTPAGE" : VmaFlags.letters(vma.flags());
    machine.verify();
    child.close();
    space.close();
    machine.memory.allocator().put(pfn);
    return seen.endsWith("mm") ? "mm" : seen;
  }

  private static Object neighbours(TestMachine machine, AddressSpace space) throws Exception {
    MemoryFile file = machine.file("f", 2);
    MapRequest whole = MapRequest.privately(file, Access.READ_WRITE);
    space.map(whole.pages(0, Pages.SIZE).at(AT));
    space.map(whole.pages(1, Pages.SIZE).at(AT + Pages.SIZE));
    space.lock(AddrRange.ofLength(AT, 2 * Pages.SIZE));
    return space.vmas().size()
        + (space.find(AT).has(VmaFlags.LOCKED) ? ", locked" : ", not locked");
  }

  private static Object flushesOfFork(TestMachine machine, AddressSpace space) {
    map(space, AT, 1, PRIVATE, machine.file("f", 1));
    read(space, AT);
    long before = space.generation();
    machine.fork(space);
    return space.generation() - before;
  }

  private static Object loadOfAnonymous(TestMachine machine, AddressSpace space) {
    map(space, AT, 1, ANONYMOUS, null);
    assertThat(read(space, AT)).isZero();
    boolean special = space.table().layout().isSpecial(entry(space, AT));
    return (special ? "special, " : "normal, ") + space.anonymousFrames();
  }

  private static Object faultsOfStore(AddressSpace space, MemoryFile file) {
    map(space, AT, 1, PRIVATE, file);
    write(space, AT + 8, 7);
    assertThat(read(space, AT + 8)).isEqualTo(7);
    assertThat(read(file, 8)).isNotEqualTo(7);
    assertThat(space.anonymousFrames()).isEqualTo(1);
    assertThat(space.copies()).isEqualTo(1);
    return space.minorFaults();
  }

  private static Object twoInserters(TestMachine machine, AddressSpace space) throws Exception {
    map(space, AT, 1, PRIVATE, machine.file("f", 1));
    AtomicBoolean first = new AtomicBoolean(true);
    machine.manager.stopWith(
        step -> {
          if (step == Step.TRANSLATED && first.getAndSet(false)) {
            Thread other = new Thread(() -> space.fault(AT, Access.READ));
            other.start();
            try {
              other.join();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          }
        });
    try {
      return space.fault(AT, Access.READ).toString();
    } catch (IllegalStateException e) {
      return e.getMessage().substring(0, e.getMessage().indexOf(" at "));
    } finally {
      machine.manager.stopWith(Step.Hook.NONE);
    }
  }

  private static Object invalidatedHole(TestMachine machine, AddressSpace space) {
    MemoryFile file = machine.holes("f", 1);
    map(space, AT, 1, PRIVATE, file);
    read(space, AT);
    space.mm().mappingsOf(file).unmap(0, 1, false);
    return space.fileFrames();
  }

  private static Object lock(AddressSpace space, MemoryFile file, int pages) {
    map(space, AT, pages, PRIVATE & ~VmaFlags.WRITE, file);
    try {
      space.lock(AddrRange.ofLength(AT, pages * Pages.SIZE));
      return Errno.OK;
    } catch (MapException e) {
      return e.errno();
    }
  }

  private static Object populatedShared(TestMachine machine, AddressSpace space) throws Exception {
    MapRequest shared = MapRequest.shared(machine.file("f", 1), Access.READ_WRITE);
    long at = space.map(shared.with(MapFlag.POPULATE)).start();
    return space.table().layout().isWritable(entry(space, at));
  }

  private static Object populatedPages(TestMachine machine, AddressSpace space) throws Exception {
    MapRequest request = MapRequest.privately(machine.file("f", 4), Access.READ);
    AddrRange range = space.map(request.with(MapFlag.POPULATE));
    return (long) space.inCore(range).cardinality();
  }

  private static Object fastUnderMapLock(TestMachine machine, AddressSpace space) throws Exception {
    map(space, AT, 1, ANONYMOUS, null);
    write(space, AT, 1);
    long[] pfns = new long[1];
    Thread other =
        new Thread(
            () -> {
              try {
                space.getUserPages().getUserPagesFast(AT, 1, false, pfns);
              } catch (MapException e) {
                throw new AssertionError(e);
              }
            });
    long stamp = space.mm().lockExclusively();
    String seen;
    try {
      other.start();
      other.join(300);
      seen = other.isAlive() ? "waits" : "ends";
    } finally {
      space.mm().unlockExclusively(stamp);
    }
    other.join();
    machine.memory.allocator().put(pfns[0]);
    return seen;
  }

  private static Object forcedIntoShared(TestMachine machine, AddressSpace space) {
    map(space, AT, 1, SHARED & ~VmaFlags.WRITE, machine.file("f", 1));
    long[] pfns = new long[1];
    try {
      space.getUserPages().getUserPages(AT, 1, true, true, pfns);
    } catch (MapException e) {
      return e.errno();
    }
    FrameUse use = machine.memory.frames().use(pfns[0]);
    machine.memory.allocator().put(pfns[0]);
    return use == FrameUse.ANONYMOUS ? "a private copy" : use;
  }

  private static Object getSpecial(TestMachine machine, AddressSpace space) {
    map(space, AT, 1, PRIVATE, machine.file("f", 1));
    try {
      return space.getUserPages().getUserPages(AT, 1, false, false, new long[1]);
    } catch (MapException e) {
      return e.errno();
    }
  }

  private static Object mapAtTaken(TestMachine machine, AddressSpace space) throws Exception {
    map(space, AT, 1, ANONYMOUS, null);
    try {
      long start = space.map(MapRequest.anonymous(Pages.SIZE, Access.READ).at(AT)).start();
      return start == AT ? "there" : "elsewhere";
    } catch (MapException e) {
      return e.errno();
    }
  }

  private static Object growNext(TestMachine machine, AddressSpace space) throws Exception {
    map(space, AT, 1, ANONYMOUS, null);
    map(space, AT + 2 * Pages.SIZE, 1, ANONYMOUS, null);
    space.remap(RemapRequest.inPlace(AddrRange.ofLength(AT, Pages.SIZE), 2 * Pages.SIZE));
    write(space, AT + Pages.SIZE, 1);
    return space.vmas().size();
  }

  private static Object moveNothing(TestMachine machine, AddressSpace space) {
    long target = AT + 16 * Pages.SIZE;
    map(space, target, 1, ANONYMOUS, null);
    AddrRange old = AddrRange.ofLength(AT, Pages.SIZE);
    try {
      space.remap(RemapRequest.to(old, Pages.SIZE, target));
      return "moved";
    } catch (MapException e) {
      return e.errno() + (space.find(target) == null ? ", target cleared" : ", target kept");
    }
  }

  private static Object faultsOfSharedStore(TestMachine machine, AddressSpace space) {
    MemoryFile file = machine.file("f", 1);
    map(space, AT, 1, SHARED, file);
    write(space, AT, 5);
    assertThat(read(file, 0)).isEqualTo(5);
    return space.minorFaults();
  }

  private static Object loadOfHole(TestMachine machine, AddressSpace space) {
    MemoryFile file = machine.holes("f", 1);
    map(space, AT, 1, PRIVATE, file);
    assertThat(read(space, AT)).isZero();
    long pfn = space.table().layout().pfn(entry(space, AT));
    String seen = machine.memory.frames().use(pfn) + ", " + space.fileFrames();
    machine.verify();
    write(file, 8, 6);
    assertThat(read(space, AT + 8)).as("the hole is filled").isEqualTo(6);
    return seen;
  }

  private static Object countBeforeFlush(TestMachine machine, AddressSpace space) {
    map(space, AT, 1, ANONYMOUS, null);
    write(space, AT, 1);
    long pfn = space.table().layout().pfn(entry(space, AT));
    try (MmuGather gather = new MmuGather(space.mm())) {
      space.mm().zapper().zap(space.find(AT), AT, AT + Pages.SIZE, Zapper.Which.PAGES, gather);
      return machine.memory.frames().mappings(pfn);
    }
  }

  private static Object reports(TestMachine machine, AddressSpace space) {
    map(space, AT, 1, ANONYMOUS, null);
    long pte = space.table().layout().leaf(machine.manager.highestPfn() + 1, Access.READ);
    machine.badEntriesExpected = BadEntries.BURST + 10;
    for (int i = 0; i < machine.badEntriesExpected; i++) {
      machine.manager.normalFrame(space.find(AT), AT, pte);
    }
    return machine.manager.badEntries().lines().size();
  }
}
