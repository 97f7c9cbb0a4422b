package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.host.Libxip;
import dev.xip.host.WalkResult;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Walk;
import dev.xip.pagetable.X8664Layout;
import dev.xip.testing.Judge;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * Random histories over mappings that have huge leaves: map, read, store, fork, protect, unmap,
 * discard, move, invalidate, populate, exit. A model of plain numbers has the value of each page
 * and the accesses that are refused; C walks the same tables.
 */
class HugeHistoryTest {
  static final List<EntryLayout> LAYOUTS = HugeLeavesTest.LAYOUTS;

  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final int STEPS = Boolean.getBoolean("xip.stress") ? 50_000 : 1_500;
  private static final int MOST_SPACES = 4;
  private static final long RAM_FOR_ALL = 128L << 20;

  /** Places in different tables; the last is not congruent with the memory. */
  private static final long[] PLACES = {1L << 20, 2L << 20, (3L << 20) + 5};

  /** A page of a mapping: whether accesses are allowed, and the private copy; null if none. */
  private record Cell(int filePage, boolean writable, boolean readable, Long copy) {
    long value() {
      return copy != null ? copy : filePage + 1;
    }
  }

  /**
   * A space and its expected pages; its reader is reused, so it has cached translations from before
   * every change.
   */
  private record Model(
      AddressSpace space, AddressReader reader, Translator translator, TreeMap<Long, Cell> cells) {
    Model(AddressSpace space, TreeMap<Long, Cell> cells) {
      this(space, new AddressReader(space), new Translator(space.mm(), space.faults()), cells);
    }
  }

  private final Random random = new Random(SEED);
  private final List<Model> models = new ArrayList<>();
  private HugeMachine machine;

  /** Null if a reader and a writer make the accesses. */
  private UserMode user;

  private int names;
  private long leavesSeen;

  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void everyWordIsWhatTheModelSays(EntryLayout layout) throws IOException {
    run(layout, Rules.DEFAULT);
    assertThat(leavesSeen).as("huge leaves, -Dxip.seed=%d", SEED).isPositive();
  }

  /** Forks and exits meet whole tables of special entries then. */
  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void everyWordIsWhatTheModelSaysWithoutHugeLeavesToo(EntryLayout layout) throws IOException {
    run(layout, Rules.DEFAULT.without(Rule.HUGE_LEAVES));
    assertThat(leavesSeen).as("huge leaves, -Dxip.seed=%d", SEED).isZero();
  }

  /** User mode loads, stores and fetches instructions; the MMU marks huge leaves. */
  @Test
  void everyByteThatUserModeSeesIsWhatTheModelSays() throws IOException {
    Judge.kvm();
    try (HugeMachine own = new HugeMachine(X8664Layout.INSTANCE, Rules.DEFAULT, RAM_FOR_ALL)) {
      user = new UserMode(own.manager);
      user.seed(SEED);
      try {
        run(own);
      } finally {
        user.close();
      }
    }
    assertThat(leavesSeen).as("huge leaves, -Dxip.seed=%d", SEED).isPositive();
    assertThat(user.onHugeLeaves()).as("accesses through them").isPositive();
  }

  private void run(EntryLayout layout, Rules rules) throws IOException {
    // So little RAM that now and then a split gets no table.
    try (HugeMachine own = new HugeMachine(layout, rules, 96 << Pages.SHIFT)) {
      run(own);
    }
  }

  private void run(HugeMachine own) throws IOException {
    System.out.printf("HugeHistoryTest: -Dxip.seed=%d%n", SEED);
    machine = own;
    models.add(new Model(own.manager.newAddressSpace("space-0"), new TreeMap<>()));
    for (int step = 0; step < STEPS; step++) {
      try {
        step(models.get(random.nextInt(models.size())));
      } catch (AssertionError e) {
        throw new AssertionError("-Dxip.seed=%d, step %d".formatted(SEED, step), e);
      }
      if (step % 100 == 0) {
        own.verify();
        leavesSeen += models.stream().mapToLong(each -> Census.of(each.space).huge()).sum();
      }
    }
    while (!models.isEmpty()) {
      Model last = models.removeLast();
      for (long page : last.cells.keySet()) {
        read(last, page);
      }
      end(last);
      last.space.close();
    }
    own.verify();
  }

  /** The processor leaves the space. */
  private void end(Model on) throws IOException {
    if (user != null) {
      user.ends(on.space);
    }
  }

  private void step(Model on) throws IOException {
    int choice = random.nextInt(100);
    if (choice < 10) {
      map(on);
    } else if (choice < 32) {
      read(on, anyPage(on));
    } else if (choice < 36) {
      readMany(on);
    } else if (choice < 40) {
      translate(on, anyPage(on) << Pages.SHIFT);
    } else if (choice < 55) {
      write(on, anyPage(on));
    } else if (choice < 62) {
      AddrRange range = anyRange();
      on.space.unmap(range);
      cells(on, range).clear();
    } else if (choice < 70) {
      protect(on);
    } else if (choice < 75) {
      discard(on);
    } else if (choice < 81) {
      advise(on);
    } else if (choice < 85) {
      machine.file.invalidate(random.nextInt(HugeMachine.PAGES - 600), random.nextInt(1, 600));
    } else if (choice < 90) {
      fork(on);
    } else if (choice < 94 && models.size() > 1) {
      end(on);
      on.space.close();
      models.remove(on);
    } else {
      compareWithC(on, anyPage(on) << Pages.SHIFT);
    }
  }

  private static AddrRange range(long first, long pages) {
    return AddrRange.ofLength(first << Pages.SHIFT, pages << Pages.SHIFT);
  }

  private static java.util.Map<Long, Cell> cells(Model on, AddrRange range) {
    return on.cells.subMap(range.start() >>> Pages.SHIFT, range.end() >>> Pages.SHIFT);
  }

  private long anyPlace() {
    return PLACES[random.nextInt(PLACES.length)] + random.nextInt(HugeMachine.PAGES);
  }

  private AddrRange anyRange() {
    return range(anyPlace(), random.nextInt(1, random.nextBoolean() ? 30 : 1200));
  }

  /** Mostly a mapped one. */
  private long anyPage(Model on) {
    long place = anyPlace();
    Long mapped = on.cells.ceilingKey(place);
    return mapped == null || random.nextInt(20) == 0 ? place : mapped;
  }

  private void map(Model on) throws IOException {
    int first = random.nextInt(3) == 0 ? random.nextInt(HugeMachine.PAGES) : 0;
    int pages = random.nextInt(1, HugeMachine.PAGES - first + 1);
    long at = PLACES[random.nextInt(PLACES.length)] + first;
    boolean writable = random.nextBoolean();
    boolean executable = user != null && random.nextBoolean();
    MapRequest request =
        MapRequest.privately(machine.file, new Access(true, writable, executable))
            .pages(first, pages * Pages.SIZE)
            .over(at << Pages.SHIFT);
    on.space.map(random.nextInt(4) == 0 && !writable ? request.with(MapFlag.POPULATE) : request);
    for (int i = 0; i < pages; i++) {
      on.cells.put(at + i, new Cell(first + i, writable, true, null));
    }
  }

  private void read(Model on, long page) throws IOException {
    Cell cell = on.cells.get(page);
    try {
      long found = on.reader.getLong(page << Pages.SHIFT);
      assertThat(cell).as("page 0x%x is mapped", page).isNotNull();
      assertThat(cell.readable).isTrue();
      assertThat(found).as("page 0x%x of %s", page, on.space.name()).isEqualTo(cell.value());
      if (user != null) {
        assertThat(user.load(on.space, page << Pages.SHIFT)).isEqualTo((byte) found);
      }
    } catch (MemoryFaultException.OutOfMemory e) {
      makeRoom();
    } catch (MemoryFaultException e) {
      assertThat(cell != null && cell.readable).as(e.getMessage()).isFalse();
    }
  }

  /** Reads words of many pages at once, and copies them. */
  private void readMany(Model on) throws IOException {
    List<Long> pages =
        on.cells.entrySet().stream()
            .filter(each -> each.getValue().readable)
            .map(java.util.Map.Entry::getKey)
            .toList();
    long[] addresses = new long[pages.isEmpty() ? 0 : random.nextInt(600)];
    for (int i = 0; i < addresses.length; i++) {
      addresses[i] = pages.get(random.nextInt(pages.size())) << Pages.SHIFT;
    }
    long[] values = new long[addresses.length];
    long[] copies = new long[addresses.length];
    try {
      on.reader.getLongs(addresses, values, addresses.length);
      on.reader.copyEach(addresses, addresses.length, Long.BYTES, MemorySegment.ofArray(copies), 0);
    } catch (MemoryFaultException.OutOfMemory e) {
      makeRoom();
      return;
    }
    for (int i = 0; i < addresses.length; i++) {
      long page = addresses[i] >>> Pages.SHIFT;
      assertThat(values[i]).as("page 0x%x", page).isEqualTo(on.cells.get(page).value());
      assertThat(copies[i]).as("copy of page 0x%x", page).isEqualTo(values[i]);
    }
  }

  /** Asserts that each page of a run is where a walk finds it. */
  private void translate(Model on, long va) {
    try {
      on.translator.translate(va, Long.BYTES);
    } catch (MemoryFaultException e) {
      return;
    }
    EntryLayout layout = machine.manager.layout();
    Walk walk = new Walk();
    long start = on.translator.start();
    long length = on.translator.length();
    assertThat(va).isBetween(start, start + length - 1);
    for (long page = start; page < start + length; page += Pages.SIZE) {
      assertThat(on.space.table().walk(page, walk)).as("table of 0x%x", page).isTrue();
      assertThat(layout.isValid(walk.pte(), walk.level())).as("entry of 0x%x", page).isTrue();
      long bytes = 1L << layout.shift(walk.level());
      assertThat(page + on.translator.distance() - machine.memory.windowOffset())
          .as("place of 0x%x", page)
          .isEqualTo((layout.address(walk.pte()) & -bytes) + (page & bytes - 1));
    }
  }

  private void write(Model on, long page) throws IOException {
    Cell cell = on.cells.get(page);
    long value = random.nextLong() | 1L << 40;
    try {
      if (user == null) {
        new AddressWriter(on.space).putLong(page << Pages.SHIFT, value);
      } else {
        user.store(on.space, page << Pages.SHIFT, (byte) value);
      }
      assertThat(cell).as("page 0x%x is mapped", page).isNotNull();
      assertThat(cell.writable).isTrue();
      if (user != null) {
        value = cell.value() & ~0xffL | value & 0xff;
      }
      on.cells.put(page, new Cell(cell.filePage, true, true, value));
    } catch (MemoryFaultException.OutOfMemory e) {
      makeRoom();
    } catch (MemoryFaultException e) {
      assertThat(cell != null && cell.writable).as(e.getMessage()).isFalse();
    }
  }

  /** Ends every space of the list but one, and drops its private copies. */
  private void makeRoom() {
    while (models.size() > 1) {
      models.removeLast().space.close();
    }
    if (models.isEmpty()) {
      return;
    }
    Model left = models.getFirst();
    try {
      left.space.unmap(new AddrRange(1L << 32, 1L << 34));
    } catch (MapException e) {
      throw new AssertionError(e);
    }
    left.cells.clear();
  }

  private void protect(Model on) throws IOException {
    AddrRange range = anyRange();
    if (cells(on, range).size() < range.length() >>> Pages.SHIFT) {
      return;
    }
    Access access = List.of(Access.NONE, Access.READ, Access.READ_WRITE).get(random.nextInt(3));
    on.space.protect(range, access);
    cells(on, range)
        .replaceAll(
            (page, cell) -> new Cell(cell.filePage, access.write(), access.read(), cell.copy));
  }

  private void discard(Model on) throws IOException {
    AddrRange range = anyRange();
    if (cells(on, range).size() < range.length() >>> Pages.SHIFT) {
      return;
    }
    on.space.advise(range, Advice.DONTNEED);
    cells(on, range)
        .replaceAll((page, cell) -> new Cell(cell.filePage, cell.writable, cell.readable, null));
  }

  private void advise(Model on) throws IOException {
    AddrRange range = anyRange();
    if (cells(on, range).size() == range.length() >>> Pages.SHIFT) {
      on.space.advise(range, List.of(Advice.WILLNEED, Advice.SEQUENTIAL).get(random.nextInt(2)));
    }
  }

  private void fork(Model on) {
    if (models.size() < MOST_SPACES) {
      try {
        models.add(new Model(on.space.fork("space-" + ++names), new TreeMap<>(on.cells)));
      } catch (MapException e) {
        assertThat(e.errno()).isEqualTo(Errno.ENOMEM);
      }
    }
  }

  private void compareWithC(Model on, long va) {
    EntryLayout layout = machine.manager.layout();
    Walk walk = new Walk();
    on.space.table().walk(va, walk);
    WalkResult theirs =
        Libxip.get().walk(machine.memory.window(), layout.abiNumber(), on.space.table().root(), va);
    assertThat(theirs.pte()).isEqualTo(walk.pte());
    assertThat(theirs.level()).isEqualTo(walk.level().ordinal());
    if (layout.isHugeLeaf(walk.pte(), walk.level()) && walk.level().ordinal() > 0) {
      long size = 1L << layout.shift(walk.level());
      assertThat(theirs.special()).isTrue();
      assertThat(theirs.pa())
          .isEqualTo((layout.pfn(walk.pte(), walk.level()) << Pages.SHIFT) + (va & size - 1));
    }
  }
}
