package dev.xip.stress;

import static dev.xip.stress.StressedSpace.AT;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.xip.base.Errno;
import dev.xip.base.Pfn;
import dev.xip.file.MemoryFile;
import dev.xip.pagetable.X8664Of2008Layout;
import dev.xip.vm.FrameStrategy;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IIIII_Result;
import org.openjdk.jcstress.infra.results.III_Result;

/**
 * An entry is inserted and zapped under the lock of its leaf table, so operations of two threads on
 * one slot are serialised: afterwards the slot is empty or holds the whole entry, and the counts
 * for the entry are present exactly once if it is there, and not at all if it is not.
 */
public final class InsertAgainstZapStress {
  private static final int WORD = 7;

  private InsertAgainstZapStress() {}

  private record FileSlot(StressedSpace space, MemoryFile file) {
    static FileSlot on(StressMachine<FileSlot> machine) {
      FileSlot slot = new FileSlot(machine.space(), machine.file(WORD));
      slot.space.mapShared(AT, slot.file);
      return slot;
    }
  }

  /** A fault inserts a special entry while the file zaps the page in every address space. */
  @JCStressTest
  @Outcome(id = "7, 0, 0", expect = ACCEPTABLE, desc = "The fault came first, or was retried")
  @Outcome(id = "7, 1, 0", expect = ACCEPTABLE, desc = "The zap came first")
  @Outcome(expect = FORBIDDEN, desc = "Wrong bytes, a wrong entry or a special entry counted")
  @State
  public static class SpecialEntry {
    private static final StressMachine<FileSlot> MACHINE = new StressMachine<>(FileSlot::on);

    private final FileSlot slot = MACHINE.take();

    /** Reads the page, which faults it in. */
    @Actor
    public void fault(III_Result r) {
      r.r1 = slot.space.read(AT);
    }

    /** Invalidates it. */
    @Actor
    public void zap() {
      slot.file.invalidate(0, 1);
    }

    /** Looks at the slot and empties it. */
    @Arbiter
    public void look(III_Result r) {
      r.r2 = slot.space.entry(AT);
      r.r3 = (int) (slot.space.mm().fileFrames() + slot.space.mm().anonymousFrames());
      slot.space.discard(AT);
      MACHINE.putBack(slot);
    }
  }

  private record FrameSlot(StressedSpace space, MemoryFile file, long pfn) {
    static FrameSlot on(StressMachine<FrameSlot> machine) {
      FrameSlot slot = new FrameSlot(machine.space(), machine.file(WORD), machine.cachedFrame());
      slot.space.mapShared(AT, slot.file);
      return slot;
    }

    static StressMachine<FrameSlot> machine() {
      return new StressMachine<>(X8664Of2008Layout.INSTANCE, FrameStrategy.FLAT, FrameSlot::on);
    }

    int insert() {
      return space.mm().insertMixed(AT, new Pfn(pfn)) == Errno.OK ? 1 : 0;
    }

    void look(StressMachine<FrameSlot> machine, IIIII_Result r) {
      r.r2 = space.entry(AT);
      r.r3 = machine.references(pfn);
      r.r4 = machine.mappings(pfn);
      r.r5 = (int) space.mm().fileFrames();
      space.discard(AT);
      machine.putBack(this);
    }
  }

  /** A counted entry is inserted while madvise zaps the page. */
  @JCStressTest
  @Outcome(id = "1, 0, 1, 0, 0", expect = ACCEPTABLE, desc = "Inserted, then zapped")
  @Outcome(id = "1, 2, 2, 1, 1", expect = ACCEPTABLE, desc = "Nothing to zap, then inserted")
  @Outcome(expect = FORBIDDEN, desc = "Counts that do not agree with the entry")
  @State
  public static class CountedEntry {
    private static final StressMachine<FrameSlot> MACHINE = FrameSlot.machine();

    private final FrameSlot slot = MACHINE.take();

    /** Inserts the frame. */
    @Actor
    public void insert(IIIII_Result r) {
      r.r1 = slot.insert();
    }

    /** Zaps the page. */
    @Actor
    public void zap() {
      slot.space.discard(AT);
    }

    /** Looks at the slot and empties it. */
    @Arbiter
    public void look(IIIII_Result r) {
      slot.look(MACHINE, r);
    }
  }

  /** A counted entry is inserted into a slot with an entry, which madvise zaps. */
  @JCStressTest
  @Outcome(id = "0, 0, 1, 0, 0", expect = ACCEPTABLE, desc = "EBUSY, then zapped")
  @Outcome(id = "1, 2, 2, 1, 1", expect = ACCEPTABLE, desc = "Zapped, then inserted again")
  @Outcome(expect = FORBIDDEN, desc = "Counts that do not agree with the entry")
  @State
  public static class OccupiedSlot {
    private static final StressMachine<FrameSlot> MACHINE = FrameSlot.machine();

    private final FrameSlot slot = MACHINE.take();

    /** Fills the slot. */
    public OccupiedSlot() {
      slot.insert();
    }

    /** Inserts the frame a second time. */
    @Actor
    public void insert(IIIII_Result r) {
      r.r1 = slot.insert();
    }

    /** Zaps the page. */
    @Actor
    public void zap() {
      slot.space.discard(AT);
    }

    /** Looks at the slot and empties it. */
    @Arbiter
    public void look(IIIII_Result r) {
      slot.look(MACHINE, r);
    }
  }

  /** Two threads insert the same frame into one empty slot. */
  @JCStressTest
  @Outcome(id = "1, 2, 2, 1, 1", expect = ACCEPTABLE, desc = "One inserted, the other got EBUSY")
  @Outcome(expect = FORBIDDEN, desc = "Both inserted, or neither, or counted twice")
  @State
  public static class TwoInsertions {
    private static final StressMachine<FrameSlot> MACHINE = FrameSlot.machine();

    private final FrameSlot slot = MACHINE.take();
    private int first;
    private int second;

    /** Inserts. */
    @Actor
    public void one() {
      first = slot.insert();
    }

    /** Inserts as well. */
    @Actor
    public void other() {
      second = slot.insert();
    }

    /** Looks at the slot and empties it. */
    @Arbiter
    public void look(IIIII_Result r) {
      r.r1 = first + second;
      slot.look(MACHINE, r);
    }
  }

  /** The process and the file zap one counted entry at the same time. */
  @JCStressTest
  @Outcome(id = "0, 0, 1, 0, 0", expect = ACCEPTABLE, desc = "Zapped, and the frame released once")
  @Outcome(expect = FORBIDDEN, desc = "Released twice, or still mapped")
  @State
  public static class TwoZaps {
    private static final StressMachine<FrameSlot> MACHINE = FrameSlot.machine();

    private final FrameSlot slot = MACHINE.take();

    /** Fills the slot. */
    public TwoZaps() {
      slot.insert();
    }

    /** Zaps the page in this space. */
    @Actor
    public void process() {
      slot.space.discard(AT);
    }

    /** Zaps it in every space. */
    @Actor
    public void file() {
      slot.file.invalidate(0, 1);
    }

    /** Looks at the slot. */
    @Arbiter
    public void look(IIIII_Result r) {
      slot.look(MACHINE, r);
    }
  }
}
