package dev.xip.history;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.measure.NormalPageMachine;
import dev.xip.measure.StrategyTable;
import dev.xip.measure.StrategyTable.Answer;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.X8664Layout;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MapRequest;
import dev.xip.vm.MemoryManager;
import dev.xip.vm.NormalFrame;
import dev.xip.vm.Vma;
import java.io.IOException;
import java.util.function.Function;

/** A machine with one segment on which a proposal is tried. For one thread. */
final class Trial implements AutoCloseable {
  private final NormalPageMachine machine;
  private final MemoryManager manager;

  private Trial(EntryLayout layout, Function<NormalPageMachine, MemoryManager> boot)
      throws IOException {
    machine = NormalPageMachine.boot(layout, 1);
    try {
      manager = boot.apply(machine);
    } catch (RuntimeException e) {
      machine.close();
      throw e;
    }
  }

  static Trial of(FrameStrategy strategy) throws IOException {
    return of(X8664Layout.INSTANCE, strategy);
  }

  /**
   * Boots.
   *
   * @throws IllegalArgumentException if the layout cannot have the strategy
   */
  static Trial of(EntryLayout layout, FrameStrategy strategy) throws IOException {
    return new Trial(layout, machine -> machine.manager(strategy));
  }

  static Trial of(Function<NormalPageMachine, NormalFrame> strategy) throws IOException {
    return new Trial(X8664Layout.INSTANCE, machine -> machine.manager(strategy.apply(machine)));
  }

  NormalPageMachine machine() {
    return machine;
  }

  MemoryManager manager() {
    return manager;
  }

  /** {@return the pfn of the segment's page} */
  long segmentPfn() {
    return manager.layout().pfn(segmentEntry());
  }

  /** {@return the entry of the segment's page, marked if the strategy marks entries} */
  long segmentEntry() {
    return machine.entries(manager, 1, 1)[0];
  }

  /** {@return an entry of a frame of RAM} */
  long ramEntry() {
    return machine.entries(manager, 2, 1)[1];
  }

  /** {@return a mapping of the segment, with MIXEDMAP} */
  Vma mixed() {
    return machine.mappings()[0];
  }

  /** {@return a mapping of ordinary memory} */
  Vma ordinary() {
    return machine.mappings()[1];
  }

  Answer aboutSegment() {
    return answer(mixed(), segmentEntry());
  }

  Answer aboutRam() {
    return answer(ordinary(), ramEntry());
  }

  /** {@return the answer about a private copy among pages of the segment} */
  Answer aboutCopy() {
    return answer(mixed(), ramEntry());
  }

  Answer answer(Vma vma, long pte) {
    return Answer.of(manager, vma, pte);
  }

  /** {@return what the machine says to a question under a spin lock; empty if it answers} */
  String underSpinLock(Vma vma, long pte) {
    return StrategyTable.underSpinLock(() -> answer(vma, pte));
  }

  /** {@return a process that maps some pages of the segment and has touched them} */
  AddressSpace reader(int pages) throws IOException {
    AddressSpace space = manager.newAddressSpace("reader");
    touch(space, space.map(MapRequest.privately(machine.spread(pages), Access.READ)), Access.READ);
    return space;
  }

  /** {@return a process with some pages of anonymous memory, written} */
  AddressSpace plain(int pages) throws IOException {
    AddressSpace space = manager.newAddressSpace("plain");
    AddrRange range =
        space.map(MapRequest.anonymous((long) pages << Pages.SHIFT, Access.READ_WRITE));
    touch(space, range, Access.WRITE);
    return space;
  }

  static void touch(AddressSpace space, AddrRange range, Access access) throws IOException {
    for (long va = range.start(); va < range.end(); va += Pages.SIZE) {
      space.fault(va, access).orThrow();
    }
  }

  /** Something that a machine may refuse. */
  @FunctionalInterface
  interface Attempt {
    void run() throws IOException;
  }

  /** {@return the text with which the machine stops an attempt; empty if it does not} */
  static String textOf(Attempt attempt) throws IOException {
    try {
      attempt.run();
      return "";
    } catch (IllegalStateException | IllegalArgumentException e) {
      return e.getMessage();
    }
  }

  @Override
  public void close() {
    machine.close();
  }
}
