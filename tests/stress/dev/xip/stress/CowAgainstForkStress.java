package dev.xip.stress;

import static dev.xip.stress.StressedSpace.AT;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IIIII_Result;
import org.openjdk.jcstress.infra.results.IIII_Result;
import org.openjdk.jcstress.infra.results.III_Result;

/**
 * A private page is copied on the first store after it was shared, whether by a file or by a fork.
 * Copying and sharing read the entry under the same lock, so the child has the page as it was
 * before the store or after it, and after the fork neither side sees the other's stores. The copy
 * is counted once for each entry that maps it.
 */
public final class CowAgainstForkStress {
  private static final int WORD = 7;

  private CowAgainstForkStress() {}

  private static StressedSpace mapFile(StressMachine<StressedSpace> machine) {
    StressedSpace space = machine.space();
    space.mapPrivately(AT, machine.file(WORD));
    return space;
  }

  private static StressedSpace mapAnonymous(StressMachine<StressedSpace> machine) {
    StressedSpace space = machine.space();
    space.mapAnonymously(AT, 1);
    return space;
  }

  /** The store copies a page that has no page frame. */
  @JCStressTest
  @Outcome(id = "1, 7, 7, 2, 11", expect = ACCEPTABLE, desc = "Forked, then copied")
  @Outcome(id = "1, 1, 1, 2, 11", expect = ACCEPTABLE, desc = "Copied, then forked")
  @Outcome(expect = FORBIDDEN, desc = "One side saw the other's store, or a count is wrong")
  @State
  public static class SpecialPage {
    private static final StressMachine<StressedSpace> MACHINE =
        new StressMachine<>(CowAgainstForkStress::mapFile);

    private final StressedSpace parent = MACHINE.take();
    private StressedSpace child;

    /** Faults the page in. */
    public SpecialPage() {
      parent.read(AT);
    }

    /** Stores, which copies. */
    @Actor
    public void store(IIIII_Result r) {
      parent.write(AT, 1);
    }

    /** Forks. */
    @Actor
    public void fork() {
      child = parent.fork();
    }

    /** Looks at both sides, and at each once more after the other has stored again. */
    @Arbiter
    public void look(IIIII_Result r) {
      r.r1 = parent.read(AT);
      r.r2 = child.read(AT);
      parent.write(AT, 2);
      r.r3 = child.read(AT);
      child.write(AT, 3);
      r.r4 = parent.read(AT);
      child.exit();
      r.r5 = parent.counts(AT);
      parent.discard(AT);
      MACHINE.putBack(parent);
    }
  }

  /** Two processes share a frame: one stores while the other forks a third that shares it too. */
  @JCStressTest
  @Outcome(id = "1, 7, 7, 2, 11", expect = ACCEPTABLE, desc = "Only the writer sees the store")
  @Outcome(expect = FORBIDDEN, desc = "Another process saw the store, or a count is wrong")
  @State
  public static class SharedFrame {
    private static final StressMachine<StressedSpace> MACHINE =
        new StressMachine<>(CowAgainstForkStress::mapAnonymous);

    private final StressedSpace parent = MACHINE.take();
    private final StressedSpace sibling;
    private StressedSpace child;

    /** Gives the page a frame and shares it. */
    public SharedFrame() {
      parent.write(AT, WORD);
      sibling = parent.fork();
    }

    /** Stores, which copies. */
    @Actor
    public void store() {
      parent.write(AT, 1);
    }

    /** Forks the other side. */
    @Actor
    public void fork() {
      child = sibling.fork();
    }

    /** Looks at all three. */
    @Arbiter
    public void look(IIIII_Result r) {
      r.r1 = parent.read(AT);
      r.r2 = sibling.read(AT);
      sibling.write(AT, 2);
      r.r3 = child.read(AT);
      child.exit();
      r.r4 = sibling.read(AT);
      r.r5 = sibling.counts(AT);
      sibling.exit();
      parent.discard(AT);
      MACHINE.putBack(parent);
    }
  }

  /** Two processes share a frame: one stores while the other exits. */
  @JCStressTest
  @Outcome(id = "1, 11, 1", expect = ACCEPTABLE, desc = "Copied, or kept as its only owner")
  @Outcome(expect = FORBIDDEN, desc = "The store is lost, or a count is wrong")
  @State
  public static class FrameOfExitingProcess {
    private static final StressMachine<StressedSpace> MACHINE =
        new StressMachine<>(CowAgainstForkStress::mapAnonymous);

    private final StressedSpace parent = MACHINE.take();
    private final StressedSpace sibling;

    /** Gives the page a frame and shares it. */
    public FrameOfExitingProcess() {
      parent.write(AT, WORD);
      sibling = parent.fork();
    }

    /** Stores, which copies if another process maps the frame. */
    @Actor
    public void store() {
      parent.write(AT, 1);
    }

    /** Exits. */
    @Actor
    public void exit() {
      sibling.exit();
    }

    /** Looks at the process that remains. */
    @Arbiter
    public void look(III_Result r) {
      r.r1 = parent.read(AT);
      r.r2 = parent.counts(AT);
      r.r3 = (int) parent.mm().anonymousFrames();
      parent.discard(AT);
      MACHINE.putBack(parent);
    }
  }

  /** Both sides of a fork store into the frame that they share. */
  @JCStressTest
  @Outcome(id = "1, 2, 11, 11", expect = ACCEPTABLE, desc = "Each has its own store")
  @Outcome(expect = FORBIDDEN, desc = "A store went to the other side, or a count is wrong")
  @State
  public static class BothSides {
    private static final StressMachine<StressedSpace> MACHINE =
        new StressMachine<>(CowAgainstForkStress::mapAnonymous);

    private final StressedSpace parent = MACHINE.take();
    private final StressedSpace child;

    /** Gives the page a frame and shares it. */
    public BothSides() {
      parent.write(AT, WORD);
      child = parent.fork();
    }

    /** Stores on one side. */
    @Actor
    public void storeHere() {
      parent.write(AT, 1);
    }

    /** Stores on the other. */
    @Actor
    public void storeThere() {
      child.write(AT, 2);
    }

    /** Looks at both. */
    @Arbiter
    public void look(IIII_Result r) {
      r.r1 = parent.read(AT);
      r.r2 = child.read(AT);
      r.r3 = parent.counts(AT);
      r.r4 = child.counts(AT);
      child.exit();
      parent.discard(AT);
      MACHINE.putBack(parent);
    }
  }

  /** Two threads of one process store into a page that is shared with a child. */
  @JCStressTest
  @Outcome(id = "1, 2, 7, 11", expect = ACCEPTABLE, desc = "One copy with both stores")
  @Outcome(expect = FORBIDDEN, desc = "A store was lost with a copy that was replaced")
  @State
  public static class TwoThreads {
    private static final StressMachine<StressedSpace> MACHINE =
        new StressMachine<>(CowAgainstForkStress::mapAnonymous);

    private final StressedSpace parent = MACHINE.take();
    private final StressedSpace child;

    /** Gives the page a frame and shares it. */
    public TwoThreads() {
      parent.write(AT, WORD);
      child = parent.fork();
    }

    /** Stores. */
    @Actor
    public void one() {
      parent.write(AT, 1);
    }

    /** Stores into another word. */
    @Actor
    public void other() {
      parent.write(AT + 8, 2);
    }

    /** Looks at both words, and at the child. */
    @Arbiter
    public void look(IIII_Result r) {
      r.r1 = parent.read(AT);
      r.r2 = parent.read(AT + 8);
      r.r3 = child.read(AT);
      r.r4 = parent.counts(AT);
      child.exit();
      parent.discard(AT);
      MACHINE.putBack(parent);
    }
  }
}
