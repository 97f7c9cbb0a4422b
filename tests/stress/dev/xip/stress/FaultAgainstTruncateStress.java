package dev.xip.stress;

import static dev.xip.stress.StressedSpace.AT;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.xip.base.Pages;
import dev.xip.file.MemoryFile;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/**
 * A fault holds the file-mapping lock from its check of the file's size until its entry is
 * inserted, and truncation changes the size before it goes through the mappings. So an access is
 * served before the truncation or gets SIGBUS, and once truncate has returned no address space has
 * an entry for the part that was cut off, not even for a private copy.
 */
public final class FaultAgainstTruncateStress {
  private static final int WORD = 7;

  private FaultAgainstTruncateStress() {}

  private record FileSlot(StressedSpace space, MemoryFile file) {
    static FileSlot shared(StressMachine<FileSlot> machine) {
      FileSlot slot = new FileSlot(machine.space(), machine.file(WORD));
      slot.space.mapShared(AT, slot.file);
      return slot;
    }

    static FileSlot ofPrivatePages(StressMachine<FileSlot> machine) {
      FileSlot slot = new FileSlot(machine.space(), machine.file(WORD));
      slot.space.mapPrivately(AT, slot.file);
      return slot;
    }

    static FileSlot ofHoles(StressMachine<FileSlot> machine) {
      FileSlot slot = new FileSlot(machine.space(), machine.file());
      StressMachine.truncate(slot.file, Pages.SIZE);
      slot.space.mapShared(AT, slot.file);
      return slot;
    }

    void look(III_Result r) {
      r.r2 = space.entry(AT);
      r.r3 = (int) (file.blockCount() + space.mm().anonymousFrames());
      StressMachine.truncate(file, 0);
    }
  }

  /** A read of a page with a block. */
  @JCStressTest
  @Outcome(id = "7, 0, 0", expect = ACCEPTABLE, desc = "Read, then cut off")
  @Outcome(id = "-2, 0, 0", expect = ACCEPTABLE, desc = "Cut off, then SIGBUS")
  @Outcome(expect = FORBIDDEN, desc = "Bytes of a freed block, or an entry for one")
  @State
  public static class Read {
    private static final StressMachine<FileSlot> MACHINE = new StressMachine<>(FileSlot::shared);

    private final FileSlot slot = MACHINE.take();

    /** Reads. */
    @Actor
    public void fault(III_Result r) {
      r.r1 = slot.space.read(AT);
    }

    /** Cuts the file. */
    @Actor
    public void truncate() {
      StressMachine.truncate(slot.file, 0);
    }

    /** Looks, and writes the page anew. */
    @Arbiter
    public void look(III_Result r) {
      slot.look(r);
      StressMachine.fill(slot.file, WORD);
      MACHINE.putBack(slot);
    }
  }

  /** A private store, which copies the page. */
  @JCStressTest
  @Outcome(id = "5, 0, 0", expect = ACCEPTABLE, desc = "Stored, then cut off, copy and all")
  @Outcome(id = "-2, 0, 0", expect = ACCEPTABLE, desc = "Cut off, then SIGBUS")
  @Outcome(expect = FORBIDDEN, desc = "An entry is left")
  @State
  public static class PrivateStore {
    private static final StressMachine<FileSlot> MACHINE =
        new StressMachine<>(FileSlot::ofPrivatePages);

    private final FileSlot slot = MACHINE.take();

    /** Stores. */
    @Actor
    public void fault(III_Result r) {
      r.r1 = slot.space.write(AT, 5);
    }

    /** Cuts the file. */
    @Actor
    public void truncate() {
      StressMachine.truncate(slot.file, 0);
    }

    /** Looks, and writes the page anew. */
    @Arbiter
    public void look(III_Result r) {
      slot.look(r);
      StressMachine.fill(slot.file, WORD);
      MACHINE.putBack(slot);
    }
  }

  /** A store into a hole, which allocates a block. */
  @JCStressTest
  @Outcome(id = "5, 0, 0", expect = ACCEPTABLE, desc = "Stored, then cut off, block and all")
  @Outcome(id = "-2, 0, 0", expect = ACCEPTABLE, desc = "Cut off, then SIGBUS")
  @Outcome(
      id = "-2, 0, 1",
      expect = ACCEPTABLE_INTERESTING,
      desc = "As in the kernel: a block past the end, allocated between two checks of the size")
  @Outcome(expect = FORBIDDEN, desc = "An entry is left")
  @State
  public static class StoreIntoHole {
    private static final StressMachine<FileSlot> MACHINE = new StressMachine<>(FileSlot::ofHoles);

    private final FileSlot slot = MACHINE.take();

    /** Stores. */
    @Actor
    public void fault(III_Result r) {
      r.r1 = slot.space.write(AT, 5);
    }

    /** Cuts the file. */
    @Actor
    public void truncate() {
      StressMachine.truncate(slot.file, 0);
    }

    /** Looks, and makes the hole anew. */
    @Arbiter
    public void look(III_Result r) {
      slot.look(r);
      StressMachine.truncate(slot.file, Pages.SIZE);
      MACHINE.putBack(slot);
    }
  }

  /**
   * A private store copies a page while the file is cut, written again into the same block, and
   * faulted in again: the entry then has the same bits as when the copy began.
   */
  @JCStressTest
  @Outcome(id = "9", expect = ACCEPTABLE, desc = "The part that was cut off is gone")
  @Outcome(expect = FORBIDDEN, desc = "A copy of the part that was cut off came back")
  @State
  public static class BlockUsedAgain {
    private static final StressMachine<FileSlot> MACHINE =
        new StressMachine<>(FileSlot::ofPrivatePages);

    private final FileSlot slot = MACHINE.take();

    /** Faults the page in. */
    public BlockUsedAgain() {
      slot.space.read(AT);
    }

    /** Stores into the page, at another offset than the arbiter reads. */
    @Actor
    public void copy() {
      slot.space.write(AT + 8, 5);
    }

    /** Cuts the file, writes it again and faults the page in. */
    @Actor
    public void replace() {
      StressMachine.truncate(slot.file, 0);
      StressMachine.fill(slot.file, 9);
      slot.space.read(AT);
    }

    /** Looks, and writes the page anew. */
    @Arbiter
    public void look(I_Result r) {
      r.r1 = slot.space.read(AT + 16);
      StressMachine.truncate(slot.file, 0);
      StressMachine.fill(slot.file, WORD);
      MACHINE.putBack(slot);
    }
  }
}
