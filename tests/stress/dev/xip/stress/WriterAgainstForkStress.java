package dev.xip.stress;

import static dev.xip.stress.StressedSpace.AT;
import static dev.xip.stress.StressedSpace.FAR;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.xip.base.Pages;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IIII_Result;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * A store is made under the lock of the entry that permits it, and fork write-protects the entry
 * under the same lock. So a store is made before the fork, and both sides see it, or after it, and
 * only the side that made it does; of two stores by one thread the child never sees the second
 * without the first. In shared memory both sides see every store.
 */
public final class WriterAgainstForkStress {
  private WriterAgainstForkStress() {}

  private static StressedSpace mapTwoPages(StressMachine<StressedSpace> machine) {
    StressedSpace space = machine.space();
    space.mapAnonymously(AT, 1);
    space.mapAnonymously(FAR, 1);
    return space;
  }

  private static StressedSpace mapShared(StressMachine<StressedSpace> machine) {
    StressedSpace space = machine.space();
    space.mapShared(AT, machine.file(0));
    return space;
  }

  /** Looks at both sides and starts over. */
  private static void look(
      StressMachine<StressedSpace> machine,
      StressedSpace parent,
      StressedSpace child,
      IIII_Result r) {
    r.r1 = parent.read(AT);
    r.r2 = parent.read(FAR);
    r.r3 = child.read(AT);
    r.r4 = child.read(FAR);
    child.exit();
    parent.discard(AT);
    parent.discard(FAR);
    machine.putBack(parent);
  }

  /** Two stores, into the page that fork copies first and then into the one it copies last. */
  @JCStressTest
  @Outcome(id = "1, 1, 0, 0", expect = ACCEPTABLE, desc = "Forked before both")
  @Outcome(id = "1, 1, 1, 0", expect = ACCEPTABLE, desc = "Forked between the two")
  @Outcome(id = "1, 1, 1, 1", expect = ACCEPTABLE, desc = "Forked after both")
  @Outcome(expect = FORBIDDEN, desc = "The parent lost a store, or the child has only the second")
  @State
  public static class StoresWithFork {
    private static final StressMachine<StressedSpace> MACHINE =
        new StressMachine<>(WriterAgainstForkStress::mapTwoPages);

    private final StressedSpace parent = MACHINE.take();
    private StressedSpace child;

    /** Makes both pages writable. */
    public StoresWithFork() {
      parent.write(AT, 0);
      parent.write(FAR, 0);
    }

    /** Stores twice. */
    @Actor
    public void store() {
      parent.write(AT, 1);
      parent.write(FAR, 1);
    }

    /** Forks. */
    @Actor
    public void fork() {
      child = parent.fork();
    }

    /** Looks at both sides. */
    @Arbiter
    public void look(IIII_Result r) {
      WriterAgainstForkStress.look(MACHINE, parent, child, r);
    }
  }

  /** Two stores, into the page that fork copies last and then into the one it copies first. */
  @JCStressTest
  @Outcome(id = "1, 1, 0, 0", expect = ACCEPTABLE, desc = "Forked before both")
  @Outcome(id = "1, 1, 0, 1", expect = ACCEPTABLE, desc = "Forked between the two")
  @Outcome(id = "1, 1, 1, 1", expect = ACCEPTABLE, desc = "Forked after both")
  @Outcome(expect = FORBIDDEN, desc = "The parent lost a store, or the child has only the second")
  @State
  public static class StoresAgainstFork {
    private static final StressMachine<StressedSpace> MACHINE =
        new StressMachine<>(WriterAgainstForkStress::mapTwoPages);

    private final StressedSpace parent = MACHINE.take();
    private StressedSpace child;

    /** Makes both pages writable. */
    public StoresAgainstFork() {
      parent.write(AT, 0);
      parent.write(FAR, 0);
    }

    /** Stores twice. */
    @Actor
    public void store() {
      parent.write(FAR, 1);
      parent.write(AT, 1);
    }

    /** Forks. */
    @Actor
    public void fork() {
      child = parent.fork();
    }

    /** Looks at both sides. */
    @Arbiter
    public void look(IIII_Result r) {
      WriterAgainstForkStress.look(MACHINE, parent, child, r);
    }
  }

  /** A store into a page of a file that both sides share. */
  @JCStressTest
  @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "Both sides have it")
  @Outcome(expect = FORBIDDEN, desc = "A side does not")
  @State
  public static class SharedStore {
    private static final StressMachine<StressedSpace> MACHINE =
        new StressMachine<>(WriterAgainstForkStress::mapShared);

    private final StressedSpace parent = MACHINE.take();
    private StressedSpace child;

    /** Clears the store of the trial before. */
    public SharedStore() {
      parent.write(AT, 0);
    }

    /** Stores. */
    @Actor
    public void store() {
      parent.write(AT, 1);
    }

    /** Forks. */
    @Actor
    public void fork() {
      child = parent.fork();
    }

    /** Looks at both sides. */
    @Arbiter
    public void look(II_Result r) {
      r.r1 = parent.read(AT);
      r.r2 = child.read(AT);
      child.exit();
      parent.discard(AT);
      MACHINE.putBack(parent);
    }
  }

  /**
   * A store of a whole page. The child is read as soon as fork has returned, and again at the end:
   * a store still in progress would change it in between.
   */
  @JCStressTest
  @Outcome(id = "0, 0, 0, 1", expect = ACCEPTABLE, desc = "Forked, then stored")
  @Outcome(id = "1, 1, 1, 1", expect = ACCEPTABLE, desc = "Stored, then forked")
  @Outcome(expect = FORBIDDEN, desc = "The child has half a store, or got it after the fork")
  @State
  public static class PageStore {
    private static final StressMachine<StressedSpace> MACHINE =
        new StressMachine<>(WriterAgainstForkStress::mapTwoPages);
    private static final long LAST = AT + Pages.SIZE - Long.BYTES;

    private final StressedSpace parent = MACHINE.take();
    private StressedSpace child;

    /** Makes the page writable. */
    public PageStore() {
      parent.write(AT, 0);
    }

    /** Stores. */
    @Actor
    public void store() {
      parent.writePage(AT, 1);
    }

    /** Forks, and looks at the child's last word. */
    @Actor
    public void fork(IIII_Result r) {
      child = parent.fork();
      r.r1 = child.read(LAST);
    }

    /** Looks at it again, at the child's first word and at the parent's. */
    @Arbiter
    public void look(IIII_Result r) {
      r.r2 = child.read(LAST);
      r.r3 = child.read(AT);
      r.r4 = parent.read(AT);
      child.exit();
      parent.discard(AT);
      MACHINE.putBack(parent);
    }
  }
}
