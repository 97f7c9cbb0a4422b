package dev.xip.vm;

import dev.xip.base.Errno;
import dev.xip.pagetable.Arm64Layout;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Layouts;
import dev.xip.pagetable.S390x2008Layout;
import dev.xip.pagetable.S390xLayout;
import dev.xip.pagetable.X8664Layout;
import dev.xip.pagetable.X8664Of2008Layout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * A state of Linux that a machine can boot as: its rules, and the layouts and strategies that it
 * has.
 *
 * <p>Lock held by the caller: none needed.
 */
public enum Era {
  /** The state that the thread began with; any strategy that it weighed can be had. */
  LINUX_2_6_24("2.6.24", Era::isProposal, X8664Of2008Layout.INSTANCE, S390x2008Layout.INSTANCE),
  /** The release that the special bit came with, for s390 alone. */
  LINUX_2_6_26("2.6.26", Era::isKept, S390x2008Layout.INSTANCE, X8664Of2008Layout.INSTANCE),
  /** The zero page is back, and special; x86 has the bit. */
  LINUX_2_6_32("2.6.32", Era::isKept, X8664Layout.INSTANCE, S390x2008Layout.INSTANCE),
  /** The last release with filemap_xip. */
  LINUX_3_19("3.19", Era::isKept, LayoutsOfToday.LIST),
  /** DAX, before it went back to page frames. */
  LINUX_4_5("4.5", Era::isKept, LayoutsOfToday.LIST),
  /** Today. */
  LINUX_6_19("6.19", Era::isKept, LayoutsOfToday.LIST),
  /** What a machine boots as if nothing else is said. */
  XIP("xip", Rules.DEFAULT, each -> true, Layouts.ALL.toArray(EntryLayout[]::new));

  /** The layouts with the special bit where it is today. */
  private static final class LayoutsOfToday {
    static final EntryLayout[] LIST = {
      X8664Layout.INSTANCE, S390xLayout.INSTANCE, Arm64Layout.INSTANCE
    };
  }

  private final String label;
  private final Rules rules;
  private final Predicate<FrameStrategy> has;
  private final List<EntryLayout> layouts;

  Era(String release, Predicate<FrameStrategy> has, EntryLayout... layouts) {
    this(release, Rules.of(Release.of(release)), has, layouts);
  }

  Era(String label, Rules rules, Predicate<FrameStrategy> has, EntryLayout... layouts) {
    this.label = label;
    this.rules = rules;
    this.has = has;
    this.layouts = List.of(layouts);
  }

  /** What mainline kept: the bit, or pfn_valid inside MIXEDMAP where there is no bit. */
  private static boolean isKept(FrameStrategy strategy) {
    return strategy == FrameStrategy.SPECIAL_BIT || strategy == FrameStrategy.FLAT_IF_MIXED;
  }

  private static boolean isProposal(FrameStrategy strategy) {
    return !isKept(strategy);
  }

  /**
   * Finds an era by its name.
   *
   * @param label such as {@code 2.6.26}
   * @return the era
   * @throws IllegalArgumentException if there is none of that name; the message lists the names
   */
  public static Era named(String label) {
    return Names.find("era", label, values());
  }

  /** {@return the rules of a machine of the era} */
  public Rules rules() {
    return rules;
  }

  /** {@return the layouts that a machine of the era can have; the first is its default} */
  public List<EntryLayout> layouts() {
    return layouts;
  }

  /**
   * Finds one of the era's layouts by its name.
   *
   * @param name such as {@code s390x-2008}
   * @return the layout
   * @throws IllegalArgumentException if the era has none of that name; the message lists its names
   */
  public EntryLayout layout(String name) {
    return Names.find("era %s, layout".formatted(label), name, layouts.toArray(EntryLayout[]::new));
  }

  /**
   * Returns the strategies that a machine of the era can have with a layout.
   *
   * @param layout one of {@link #layouts}
   * @return the strategies, in the order in which they were put forward
   */
  public List<FrameStrategy> strategies(EntryLayout layout) {
    boolean bitDecides = this != XIP && layout.hasSpecialBit();
    return FrameStrategy.possibleWith(layout).stream()
        .filter(has)
        .filter(each -> !bitDecides || each != FrameStrategy.FLAT_IF_MIXED)
        .toList();
  }

  /**
   * Returns the strategy of a machine for which nothing else is said.
   *
   * @param layout one of {@link #layouts}
   * @return the special bit where it can be had; without it what the era does
   */
  public FrameStrategy defaultStrategy(EntryLayout layout) {
    List<FrameStrategy> possible = strategies(layout);
    return possible.contains(FrameStrategy.SPECIAL_BIT)
        ? FrameStrategy.SPECIAL_BIT
        : possible.contains(FrameStrategy.FLAT_IF_MIXED)
            ? FrameStrategy.FLAT_IF_MIXED
            : FrameStrategy.SPARSE;
  }

  /**
   * Checks that a machine of the era can have a layout and a strategy.
   *
   * @param layout the entries of its page tables
   * @param strategy the strategy of its normal-page test
   * @throws IllegalArgumentException if it cannot; the message lists what it can have
   */
  public void require(EntryLayout layout, FrameStrategy strategy) {
    requireOneOf("layout", layout, layouts);
    requireOneOf("strategy", strategy, strategies(layout));
  }

  private <T> void requireOneOf(String kind, T wanted, List<T> possible) {
    if (!possible.contains(wanted)) {
      throw new IllegalArgumentException(
          Errno.EINVAL.message(
              "%s %s in era %s: expected one of %s", kind, wanted, label, Names.join(possible)));
    }
  }

  /**
   * A row of the table of eras.
   *
   * @param rule the rule's name
   * @param sentence what holds with it, in one sentence
   * @param values {@code yes} or {@code no}, or a number, for each era in order
   */
  public record Row(String rule, String sentence, List<String> values) {
    /** Takes a copy of the values. */
    public Row {
      values = List.copyOf(values);
    }
  }

  /** {@return the table of eras: a row for each rule, a value for each era in order} */
  public static List<Row> rows() {
    List<Row> rows = new ArrayList<>();
    for (Rule rule : Rule.values()) {
      rows.add(row(rule.toString(), rule.sentence(), era -> era.rules.has(rule) ? "yes" : "no"));
    }
    rows.add(
        row(
            "fault-around-pages",
            "as many aligned pages of a file are mapped by one load",
            era -> "" + era.rules.faultAroundPages()));
    return rows;
  }

  private static Row row(String name, String sentence, Function<Era, String> value) {
    return new Row(name, sentence, Arrays.stream(values()).map(value).toList());
  }

  /** {@return its name, such as {@code 2.6.26}} */
  @Override
  public String toString() {
    return label;
  }
}
