package dev.xip.stress;

import static dev.xip.stress.StressedSpace.FAR;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.xip.file.MemoryFile;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/**
 * Fork copies a table of uncounted entries as a whole, and links the copy while it holds the lock
 * of the parent's table. So truncation, which goes through the parent first, has cleared the
 * entries before they are copied or finds the copies.
 */
public final class ForkAgainstTruncateStress {
  private static final int WORD = 7;

  /** The bytes that one table of entries maps. */
  private static final long TABLE_BYTES = 2L << 20;

  private ForkAgainstTruncateStress() {}

  /** A process that maps a file, most of it holes, by one whole table. */
  private record Slot(StressedSpace space, MemoryFile file) {
    static Slot on(StressMachine<Slot> machine) {
      Slot slot = new Slot(machine.space(), machine.file());
      slot.write();
      slot.space.mapPrivatelyToRead(FAR, slot.file);
      return slot;
    }

    void write() {
      StressMachine.truncate(file, TABLE_BYTES);
      StressMachine.fill(file, WORD);
    }
  }

  /** The file is cut while the process forks; either may exit with the table as it is. */
  @JCStressTest
  @Outcome(id = "0, -2, 0", expect = ACCEPTABLE, desc = "Neither has the page any more")
  @Outcome(expect = FORBIDDEN, desc = "An entry for the part that was cut off")
  @State
  public static class WholeTable {
    private static final StressMachine<Slot> MACHINE = new StressMachine<>(Slot::on);

    private final Slot slot = MACHINE.take();
    private StressedSpace child;

    /** Faults the page in. */
    public WholeTable() {
      slot.space.read(FAR);
    }

    /** Forks. */
    @Actor
    public void fork() {
      child = slot.space.fork();
    }

    /** Cuts the file. */
    @Actor
    public void truncate() {
      StressMachine.truncate(slot.file, 0);
    }

    /** Looks, ends the child and writes the file anew. */
    @Arbiter
    public void look(III_Result r) {
      r.r1 = child.entry(FAR);
      r.r2 = child.read(FAR);
      r.r3 = slot.space.entry(FAR);
      child.exit();
      slot.write();
      MACHINE.putBack(slot);
    }
  }
}
