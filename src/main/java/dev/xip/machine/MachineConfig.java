package dev.xip.machine;

import dev.xip.base.Pages;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.RamBanks;
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
 */
public record MachineConfig(
    long windowBytes, RamBanks ram, EntryLayout layout, FrameStrategy strategy, Rules rules) {
  /** A machine of 64 GiB with 1 GiB of RAM and x86-64 entries. */
  public static final MachineConfig DEFAULT =
      new MachineConfig(
          PhysicalMemory.DEFAULT_WINDOW_BYTES,
          RamBanks.of(PhysicalMemory.DEFAULT_RAM_BYTES),
          X8664Layout.INSTANCE,
          FrameStrategy.SPECIAL_BIT,
          Rules.DEFAULT);

  /**
   * Changes the window.
   *
   * @param bytes the size in bytes, rounded up to pages
   * @return the configuration
   */
  public MachineConfig withWindow(long bytes) {
    return new MachineConfig(Pages.roundUp(bytes), ram, layout, strategy, rules);
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
    return new MachineConfig(windowBytes, banks, layout, strategy, rules);
  }

  /**
   * Changes the strategy.
   *
   * @param other such as {@link FrameStrategy#named} finds; the machine does not boot if the layout
   *     cannot have it
   * @return the configuration
   */
  public MachineConfig withStrategy(FrameStrategy other) {
    return new MachineConfig(windowBytes, ram, layout, other, rules);
  }
}
