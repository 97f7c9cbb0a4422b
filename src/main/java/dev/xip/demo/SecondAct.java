package dev.xip.demo;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.machine.Machine;
import dev.xip.mapping.Mappable;
import dev.xip.vm.AddressReader;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.AddressWriter;
import dev.xip.vm.Census;
import dev.xip.vm.MapRequest;
import java.io.IOException;

/**
 * The second act of the demo: how the memory manager treats entries without a page frame when a
 * process writes, forks and exits.
 *
 * @param path the file that is mapped, privately and writable
 * @param writeFaults faults that the first store took: one maps the page in place, one copies it
 * @param copies pages copied for it
 * @param originalKept whether another mapping of the file still reads the old byte
 * @param specialEntries special entries of the process when it forked
 * @param forkFrames frames of RAM that fork took, page tables apart
 * @param childFrames frames that the child's store took
 * @param parentKept whether the parent still reads what it wrote
 * @param framesLeft frames still in use when both have exited, expected 0
 */
public record SecondAct(
    String path,
    long writeFaults,
    long copies,
    boolean originalKept,
    long specialEntries,
    long forkFrames,
    long childFrames,
    boolean parentKept,
    long framesLeft) {

  /**
   * Runs the act.
   *
   * @param machine the machine
   * @param file a file of an image, at least one page long
   * @return the counts
   * @throws IOException if a mapping or an access fails
   */
  static SecondAct play(Machine machine, Mappable file) throws IOException {
    long atFirst = machine.framesInUse();
    SecondAct act;
    try (AddressSpace parent = machine.memoryManager().newAddressSpace("parent")) {
      act = storeAndFork(machine, parent, file);
    }
    return act.withFramesLeft(machine.framesInUse() - atFirst);
  }

  private static SecondAct storeAndFork(Machine machine, AddressSpace parent, Mappable file)
      throws IOException {
    AddrRange shared = parent.map(MapRequest.shared(file, Access.READ));
    AddrRange mine = parent.map(MapRequest.privately(file, Access.READ_WRITE));
    AddressReader reader = new AddressReader(parent);
    byte original = reader.getByte(shared.start());
    byte changed = (byte) ~original;
    long faults = parent.minorFaults();
    new AddressWriter(parent).putByte(mine.start(), changed);
    long writeFaults = parent.minorFaults() - faults;
    boolean originalKept = reader.getByte(shared.start()) == original;
    long special = touchAll(parent, shared);
    long beforeFork = machine.framesInUse();
    long forkFrames;
    long childFrames;
    try (AddressSpace child = parent.fork("child")) {
      forkFrames = machine.framesInUse() - beforeFork;
      new AddressWriter(child).putByte(mine.start(), original);
      childFrames = machine.framesInUse() - beforeFork;
    }
    boolean parentKept = reader.getByte(mine.start()) == changed;
    return new SecondAct(
        file.name(),
        writeFaults,
        parent.copies(),
        originalKept,
        special,
        forkFrames,
        childFrames,
        parentKept,
        0);
  }

  private SecondAct withFramesLeft(long frames) {
    return new SecondAct(
        path,
        writeFaults,
        copies,
        originalKept,
        specialEntries,
        forkFrames,
        childFrames,
        parentKept,
        frames);
  }

  private static long touchAll(AddressSpace space, AddrRange range) throws IOException {
    AddressReader reader = new AddressReader(space);
    for (long va = range.start(); va < range.end(); va += Pages.SIZE) {
      reader.getByte(va);
    }
    return Census.of(space).special();
  }
}
