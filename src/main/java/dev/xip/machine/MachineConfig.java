package dev.xip.machine;

import dev.xip.base.Pages;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.RamBanks;
import dev.xip.phys.RegionFrames;
import dev.xip.vm.Era;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.Rules;

/**
 * The configuration of a machine.
 *
 * @param windowBytes the physical memory window, reserved and not committed
 * @param ram the part of it with page frames, in one bank or in several
 * @param layout the entries of its page tables
 * @param strategy the strategy of its normal-page test
 * @param rules its behaviour where releases of Linux differ
 * @param regionFrames whether loaded segments have page frames of their own: none, unless a machine
 *     is made for the comparison
 * @param countsQuestions whether {@link Machine#questions} are counted, which takes time
 */
public record MachineConfig(
    long windowBytes,
    RamBanks ram,
    EntryLayout layout,
    FrameStrategy strategy,
    Rules rules,
    RegionFrames regionFrames,
    boolean countsQuestions) {
  /** A machine of 64 GiB with 1 GiB of RAM and x86-64 entries. */
  public static final MachineConfig DEFAULT =
      new MachineConfig(
          PhysicalMemory.DEFAULT_WINDOW_BYTES,
          RamBanks.of(PhysicalMemory.DEFAULT_RAM_BYTES),
          X8664Layout.INSTANCE,
          FrameStrategy.SPECIAL_BIT,
          Rules.DEFAULT,
          RegionFrames.NONE,
          false);

  /**
   * Configures a machine of an era, with its default layout and strategy and the memory of {@link
   * #DEFAULT}.
   *
   * @param era the state of Linux that it boots as
   * @return the configuration
   */
  public static MachineConfig of(Era era) {
    return DEFAULT.as(era, era.layouts().getFirst());
  }

  /**
   * Changes era, layout and strategy.
   *
   * @param era the state of Linux that the machine boots as
   * @param entries the entries of its page tables; the strategy is the era's default for them
   * @return the configuration
   * @throws IllegalArgumentException if the era has no such layout
   */
  public MachineConfig as(Era era, EntryLayout entries) {
    return as(era, entries, era.defaultStrategy(entries));
  }

  /**
   * Changes era, layout and strategy.
   *
   * @param era the state of Linux that the machine boots as
   * @param entries the entries of its page tables
   * @param other the strategy of its normal-page test
   * @return the configuration
   * @throws IllegalArgumentException if the era cannot have them; the message lists what it can
   *     have
   */
  public MachineConfig as(Era era, EntryLayout entries, FrameStrategy other) {
    era.require(entries, other);
    return new MachineConfig(
        windowBytes, ram, entries, other, era.rules(), regionFrames, countsQuestions);
  }

  /**
   * Changes rules alone, such as to switch on a bug of history by leaving its repair out.
   *
   * @param changed the rules
   * @return the configuration
   */
  public MachineConfig withRules(Rules changed) {
    return new MachineConfig(
        windowBytes, ram, layout, strategy, changed, regionFrames, countsQuestions);
  }

  /**
   * Changes the window.
   *
   * @param bytes the size in bytes, rounded up to pages
   * @return the configuration
   */
  public MachineConfig withWindow(long bytes) {
    return new MachineConfig(
        Pages.roundUp(bytes), ram, layout, strategy, rules, regionFrames, countsQuestions);
  }

  /**
   * Changes the RAM to one bank.
   *
   * @param bytes the size in bytes, rounded up to pages
   * @return the configuration
   */
  public MachineConfig withRam(long bytes) {
    return withRam(RamBanks.of(Pages.roundUp(bytes)));
  }

  /**
   * Changes the RAM.
   *
   * @param banks where it lies
   * @return the configuration
   */
  public MachineConfig withRam(RamBanks banks) {
    return new MachineConfig(
        windowBytes, banks, layout, strategy, rules, regionFrames, countsQuestions);
  }

  /**
   * Changes the strategy.
   *
   * @param other such as {@link FrameStrategy#named} finds; the machine does not boot if the layout
   *     cannot have it
   * @return the configuration
   */
  public MachineConfig withStrategy(FrameStrategy other) {
    return new MachineConfig(windowBytes, ram, layout, other, rules, regionFrames, countsQuestions);
  }

  /**
   * Changes whether segments have page frames. With any, the machine boots only with the special
   * bit.
   *
   * @param kind how they are counted
   * @return the configuration
   */
  public MachineConfig withRegionFrames(RegionFrames kind) {
    return new MachineConfig(windowBytes, ram, layout, strategy, rules, kind, countsQuestions);
  }

  /**
   * Has the questions of the normal-page test counted.
   *
   * @return the configuration
   */
  public MachineConfig withQuestionsCounted() {
    return new MachineConfig(windowBytes, ram, layout, strategy, rules, regionFrames, true);
  }
}
