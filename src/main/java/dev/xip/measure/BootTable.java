package dev.xip.measure;

import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.host.HostException;
import dev.xip.pagetable.EntryLayout;
import dev.xip.phys.BootStep;
import dev.xip.phys.ListLock;
import dev.xip.phys.ListedModel;
import dev.xip.phys.MemoryModel;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.RamBanks;
import dev.xip.phys.RegionBusyException;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.NormalFrame;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongPredicate;

/**
 * Objection d of 15 January 2008 as a table: a machine with two banks of RAM boots step by step,
 * and at each step every way to decide is asked about RAM and about the places where segments are
 * loaded when the boot is done. "Page frame" is right for RAM as soon as the mem_map exists, "no
 * page frame" otherwise. A strategy that asks the entry itself is right at every step: the mark was
 * set when the entry was made.
 */
public final class BootTable {
  private static final long MIB = 1L << 20;
  private static final long WINDOW = 1024 * MIB;

  /** The banks: sections of 32 and of 128 MiB without RAM lie between them. */
  static final RamBanks BANKS =
      RamBanks.of(new AddrRange(0, 64 * MIB), new AddrRange(256 * MIB, 264 * MIB));

  /** A place that is asked about. */
  public enum Place {
    /** RAM. */
    BANK_1("bank 1 of RAM", new AddrRange(16 * MIB, 17 * MIB)),
    /** RAM behind the hole. */
    BANK_2("bank 2 of RAM", new AddrRange(260 * MIB, 261 * MIB)),
    /** A segment is loaded there last. */
    HOLE("hole between banks", new AddrRange(192 * MIB, 193 * MIB)),
    /** A segment is loaded there last: behind bank 2, in its section. */
    SHARED_SECTION("section with RAM", new AddrRange(272 * MIB, 273 * MIB)),
    /** A segment is loaded there last. */
    FAR("place far from RAM", new AddrRange(512 * MIB, 513 * MIB));

    private final String label;
    private final AddrRange range;

    Place(String label, AddrRange range) {
      this.label = label;
      this.range = range;
    }

    /** {@return its physical addresses} */
    public AddrRange range() {
      return range;
    }

    /** {@return whether RAM lies there} */
    public boolean isRam() {
      return this == BANK_1 || this == BANK_2;
    }

    /** {@return the place in a few words} */
    @Override
    public String toString() {
      return label;
    }
  }

  /**
   * One answer.
   *
   * @param step how far the boot has come
   * @param place what was asked about
   * @param pageFrame the answer: whether there is a page frame
   * @param right whether it is right
   */
  public record Cell(BootStep step, Place place, boolean pageFrame, boolean right) {}

  /**
   * The answers of one way to decide.
   *
   * @param name the strategy's name, or {@code mem-segs-alone} for {@link ListedModel}
   * @param cells the answers by step and place, in their order
   */
  public record Row(String name, List<Cell> cells) {
    /** Copies the list. */
    public Row {
      cells = List.copyOf(cells);
    }

    /**
     * Returns one answer.
     *
     * @param step the step
     * @param place the place
     * @return the answer there
     */
    public Cell at(BootStep step, Place place) {
      return cells.get(step.ordinal() * Place.values().length + place.ordinal());
    }
  }

  private BootTable() {}

  /**
   * Boots a machine and asks at each step: every strategy that the layout can have, in their order,
   * and last pfn_valid by the list alone.
   *
   * @param layout the architecture's entries
   * @return one row for each
   * @throws HostException if the host does not give the address space
   */
  public static List<Row> of(EntryLayout layout) throws HostException {
    try (PhysicalMemory memory = PhysicalMemory.start(WINDOW, BANKS)) {
      Map<String, LongPredicate> asked = new LinkedHashMap<>();
      for (FrameStrategy strategy : FrameStrategy.possibleWith(layout)) {
        asked.put(strategy.toString(), question(strategy, memory, layout));
      }
      MemoryModel listed = new ListedModel(WINDOW >>> Pages.SHIFT, ListLock.MUTEX);
      memory.attach(listed);
      asked.put("mem-segs-alone", listed::pfnValid);
      Map<String, List<Cell>> cells = new LinkedHashMap<>();
      for (BootStep step : BootStep.values()) {
        memory.reach(step);
        if (step == BootStep.SEGMENTS) {
          claimSegments(memory);
        }
        asked.forEach(
            (name, question) ->
                cells.computeIfAbsent(name, key -> new ArrayList<>()).addAll(ask(step, question)));
      }
      return cells.entrySet().stream()
          .map(each -> new Row(each.getKey(), each.getValue()))
          .toList();
    }
  }

  /** A machine's memory with both banks and the segments, for a strategy. */
  static PhysicalMemory booted(FrameStrategy strategy, EntryLayout layout) throws HostException {
    PhysicalMemory memory = PhysicalMemory.boot(WINDOW, strategy.memMap(BANKS, layout));
    claimSegments(memory);
    return memory;
  }

  /** Claims the places of segments, as loading them does. */
  private static void claimSegments(PhysicalMemory memory) {
    for (Place place : Place.values()) {
      if (!place.isRam()) {
        try {
          memory.claim(place.name(), place.range(), true);
        } catch (RegionBusyException e) {
          throw new IllegalStateException(e);
        }
      }
    }
  }

  /** What a strategy asks about a number inside MIXEDMAP; null if the entry itself tells. */
  private static LongPredicate question(
      FrameStrategy strategy, PhysicalMemory memory, EntryLayout layout) {
    if (strategy.needsBit()) {
      return null;
    }
    NormalFrame asked = strategy.on(memory, layout);
    return pfn -> asked.pfnValid(memory.frames(), pfn);
  }

  private static List<Cell> ask(BootStep step, LongPredicate question) {
    List<Cell> cells = new ArrayList<>();
    for (Place place : Place.values()) {
      boolean expected = place.isRam() && step != BootStep.START;
      boolean found =
          question == null ? expected : question.test(place.range().start() >>> Pages.SHIFT);
      cells.add(new Cell(step, place, found, found == expected));
    }
    return cells;
  }
}
