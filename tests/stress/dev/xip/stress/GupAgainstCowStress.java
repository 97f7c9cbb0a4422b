package dev.xip.stress;

import static dev.xip.stress.StressedSpace.AT;
import static dev.xip.stress.StressedSpace.FAR;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.xip.base.Pages;
import dev.xip.vm.MapException;
import java.io.UncheckedIOException;
import java.lang.foreign.ValueLayout;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IIIII_Result;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * get_user_pages takes its reference under the entry lock, or reads the entry again after it took
 * the reference. So the frame that it returns was mapped at the address at some moment of the call
 * and is not reused until it is released; a frame requested for writing is the one that the process
 * maps from then on, whichever thread breaks the sharing first; and every reference is counted
 * once.
 */
public final class GupAgainstCowStress {
  private static final int WORD = 7;
  private static final int OTHERS_WORD = 9;

  private GupAgainstCowStress() {}

  private static StressedSpace mapAnonymous(StressMachine<StressedSpace> machine) {
    StressedSpace space = machine.space();
    space.mapAnonymously(AT, 1);
    return space;
  }

  private static StressedSpace mapFile(StressMachine<StressedSpace> machine) {
    StressedSpace space = machine.space();
    space.mapPrivately(AT, machine.file(WORD));
    return space;
  }

  private static long get(StressedSpace space, boolean write) {
    long[] pfns = new long[1];
    try {
      space.mm().getUserPages().getUserPages(AT, 1, write, false, pfns);
    } catch (MapException e) {
      throw new UncheckedIOException(e);
    }
    return pfns[0];
  }

  private static long getFast(StressedSpace space) {
    long[] pfns = new long[1];
    try {
      space.mm().getUserPages().getUserPagesFast(AT, 1, false, pfns);
    } catch (MapException e) {
      throw new UncheckedIOException(e);
    }
    return pfns[0];
  }

  /** {@return the word that a device reads} */
  private static int load(StressedSpace space, long pfn) {
    return (int) space.mm().manager().memory().ram().get(ValueLayout.JAVA_LONG, pfn << Pages.SHIFT);
  }

  /** Stores a word as a device does. */
  private static void store(StressedSpace space, long pfn, int word) {
    space.mm().manager().memory().ram().set(ValueLayout.JAVA_LONG, pfn << Pages.SHIFT, word);
  }

  private static void put(StressedSpace space, long pfn) {
    space.mm().manager().memory().allocator().put(pfn);
  }

  /** A device stores into a frame of the parent while a thread of the parent breaks the sharing. */
  @JCStressTest
  @Outcome(id = "5, 1, 7, 11, 11", expect = ACCEPTABLE, desc = "One frame for both stores")
  @Outcome(
      expect = FORBIDDEN,
      desc = "A store is lost or visible to the child, or a count is wrong")
  @State
  public static class StoreIntoSharedFrame {
    private static final StressMachine<StressedSpace> MACHINE =
        new StressMachine<>(GupAgainstCowStress::mapAnonymous);

    private final StressedSpace parent = MACHINE.take();
    private final StressedSpace child;

    /** Shares a frame. */
    public StoreIntoSharedFrame() {
      parent.write(AT, WORD);
      child = parent.fork();
    }

    /** Gets the frame and stores into it. */
    @Actor
    public void device() {
      long pfn = get(parent, true);
      store(parent, pfn, 5);
      put(parent, pfn);
    }

    /** Stores into another word. */
    @Actor
    public void thread() {
      parent.write(AT + 8, 1);
    }

    /** Looks at both sides. */
    @Arbiter
    public void look(IIIII_Result r) {
      r.r1 = parent.read(AT);
      r.r2 = parent.read(AT + 8);
      r.r3 = child.read(AT);
      r.r4 = parent.counts(AT);
      r.r5 = child.counts(AT);
      child.exit();
      parent.discard(AT);
      MACHINE.putBack(parent);
    }
  }

  /** The same where the page that is copied has no page frame. */
  @JCStressTest
  @Outcome(id = "5, 1", expect = ACCEPTABLE, desc = "One copy for both stores")
  @Outcome(expect = FORBIDDEN, desc = "A store is lost")
  @State
  public static class StoreIntoSpecialPage {
    private static final StressMachine<StressedSpace> MACHINE =
        new StressMachine<>(GupAgainstCowStress::mapFile);

    private final StressedSpace space = MACHINE.take();

    /** Faults the page in. */
    public StoreIntoSpecialPage() {
      space.read(AT);
    }

    /** Gets the frame and stores into it. */
    @Actor
    public void device() {
      long pfn = get(space, true);
      store(space, pfn, 5);
      put(space, pfn);
    }

    /** Stores into another word. */
    @Actor
    public void thread() {
      space.write(AT + 8, 1);
    }

    /** Looks at both words. */
    @Arbiter
    public void look(II_Result r) {
      r.r1 = space.read(AT);
      r.r2 = space.read(AT + 8);
      space.discard(AT);
      MACHINE.putBack(space);
    }
  }

  /** A device reads a frame of the parent while the parent stores, which copies. */
  @JCStressTest
  @Outcome(id = "7, 1, 7, 11, 11", expect = ACCEPTABLE, desc = "The frame that the child now has")
  @Outcome(id = "1, 1, 7, 11, 11", expect = ACCEPTABLE, desc = "The copy")
  @Outcome(expect = FORBIDDEN, desc = "Other bytes, or a count is wrong")
  @State
  public static class ReadOfSharedFrame {
    private static final StressMachine<StressedSpace> MACHINE =
        new StressMachine<>(GupAgainstCowStress::mapAnonymous);

    private final StressedSpace parent = MACHINE.take();
    private final StressedSpace child;
    private long pfn;

    /** Shares a frame. */
    public ReadOfSharedFrame() {
      parent.write(AT, WORD);
      child = parent.fork();
    }

    /** Gets the frame. */
    @Actor
    public void device() {
      pfn = getFast(parent);
    }

    /** Stores. */
    @Actor
    public void thread() {
      parent.write(AT, 1);
    }

    /** Reads the frame, and looks at both sides. */
    @Arbiter
    public void look(IIIII_Result r) {
      r.r1 = load(parent, pfn);
      put(parent, pfn);
      r.r2 = parent.read(AT);
      r.r3 = child.read(AT);
      r.r4 = parent.counts(AT);
      r.r5 = child.counts(AT);
      child.exit();
      parent.discard(AT);
      MACHINE.putBack(parent);
    }
  }

  /** A device gets a frame without any lock while it is freed and given to another process. */
  @JCStressTest
  @Outcome(id = "7, 9", expect = ACCEPTABLE, desc = "Held before it was freed")
  @Outcome(id = "0, 9", expect = ACCEPTABLE, desc = "Freed, then the zero page")
  @Outcome(
      expect = FORBIDDEN,
      desc = "The frame of the other process, or a frame that is reallocated")
  @State
  public static class FreedFrame {
    private static final StressMachine<Slot> MACHINE = new StressMachine<>(Slot::on);

    private record Slot(StressedSpace space, StressedSpace other) {
      static Slot on(StressMachine<Slot> machine) {
        Slot slot = new Slot(machine.space(), machine.space());
        slot.space.mapAnonymously(AT, 1);
        slot.other.mapAnonymously(FAR, 1);
        slot.other.read(FAR);
        slot.other.discard(FAR);
        return slot;
      }
    }

    private final Slot slot = MACHINE.take();
    private long pfn;

    /** Writes the page. */
    public FreedFrame() {
      slot.space.write(AT, WORD);
    }

    /** Gets the frame. */
    @Actor
    public void device() {
      pfn = getFast(slot.space);
    }

    /** Frees it, and stores elsewhere. */
    @Actor
    public void free() {
      slot.space.discard(AT);
      slot.other.write(FAR, OTHERS_WORD);
    }

    /** Reads both frames. */
    @Arbiter
    public void look(II_Result r) {
      r.r1 = load(slot.space, pfn);
      r.r2 = slot.other.read(FAR);
      put(slot.space, pfn);
      slot.space.discard(AT);
      slot.other.discard(FAR);
      MACHINE.putBack(slot);
    }
  }
}
