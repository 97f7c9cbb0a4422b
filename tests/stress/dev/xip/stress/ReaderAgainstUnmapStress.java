package dev.xip.stress;

import static dev.xip.stress.StressedSpace.AT;
import static dev.xip.stress.StressedSpace.FAR;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Level;
import dev.xip.vm.AddressReader;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/**
 * A reader uses a translation, cached or just walked, without a lock and checks afterwards whether
 * it is still valid; a frame is reused only after that check would fail. So a read returns the
 * bytes of its page or a signal, never those of another page that now has the frame, and never the
 * result of a walk through a page table that has become data.
 */
public final class ReaderAgainstUnmapStress {
  private static final int WORD = 7;
  private static final int OTHERS_WORD = 9;
  private static final int FAR_PAGES = 4;
  private static final int WALKS = 1000;

  private ReaderAgainstUnmapStress() {}

  /** A process whose page is unmapped, and one that allocates the freed frames. */
  private record Slot(StressedSpace space, StressedSpace other) {
    static Slot on(StressMachine<Slot> machine) {
      Slot slot = new Slot(machine.space(), machine.space());
      slot.space.mapAnonymously(AT, 1);
      slot.other.mapAnonymously(FAR, FAR_PAGES);
      // Allocated before, so that the other's tables do not take the freed frames.
      slot.other.read(FAR);
      slot.other.discard(FAR);
      return slot;
    }

    /** Unmaps the page and allocates the freed frames. */
    void useAgain() {
      space.unmap(AT);
      for (int page = 0; page < FAR_PAGES; page++) {
        other.write(FAR + page * Pages.SIZE, OTHERS_WORD);
      }
    }

    void freeAll() {
      for (int page = 0; page < FAR_PAGES; page++) {
        other.discard(FAR + page * Pages.SIZE);
      }
    }
  }

  /** The page is unmapped and another process gets its frame; reads go through the cache. */
  @JCStressTest
  @Outcome(id = "7, 7", expect = ACCEPTABLE, desc = "Both reads before the unmapping")
  @Outcome(id = "7, -1", expect = ACCEPTABLE, desc = "One before, one after")
  @Outcome(id = "-1, -1", expect = ACCEPTABLE, desc = "Both after")
  @Outcome(expect = FORBIDDEN, desc = "Bytes of a reused frame, or of an unmapped one")
  @State
  public static class Unmap {
    private static final StressMachine<Slot> MACHINE = new StressMachine<>(Slot::on);

    private final Slot slot = MACHINE.take();
    private final AddressReader reader = slot.space.reader();

    /** Writes the page and caches its translation. */
    public Unmap() {
      slot.space.write(AT, WORD);
      StressedSpace.read(reader, AT);
    }

    /** Reads twice. */
    @Actor
    public void read(II_Result r) {
      r.r1 = StressedSpace.read(reader, AT);
      r.r2 = StressedSpace.read(reader, AT);
    }

    /** Unmaps, and stores elsewhere. */
    @Actor
    public void unmap() {
      slot.useAgain();
    }

    /** Maps anew. */
    @Arbiter
    public void restore(II_Result r) {
      slot.freeAll();
      slot.space.mapAnonymously(AT, 1);
      MACHINE.putBack(slot);
    }
  }

  /** The same with the translation in the reader's TLB, and then in a gather. */
  @JCStressTest
  @Outcome(id = "7, 7", expect = ACCEPTABLE, desc = "Both reads before the unmapping")
  @Outcome(id = "7, -1", expect = ACCEPTABLE, desc = "One before, one after")
  @Outcome(id = "-1, -1", expect = ACCEPTABLE, desc = "Both after")
  @Outcome(expect = FORBIDDEN, desc = "Bytes of a reused frame, or of an unmapped one")
  @State
  public static class UnmapBehindTheTlb {
    private static final StressMachine<Slot> MACHINE = new StressMachine<>(Slot::on);
    private static final long ELSEWHERE = AT + 0x10_0000;

    private final Slot slot = MACHINE.take();
    private final AddressReader reader = slot.space.reader();
    private final long[] addresses = {ELSEWHERE, AT, AT};
    private final long[] values = new long[3];

    /** Caches the translation, and then another one as the last run. */
    public UnmapBehindTheTlb() {
      slot.space.mapAnonymously(ELSEWHERE, 1);
      slot.space.write(AT, WORD);
      StressedSpace.read(reader, AT);
      StressedSpace.read(reader, ELSEWHERE);
    }

    /** Reads through the TLB, and then many at once. */
    @Actor
    public void read(II_Result r) {
      r.r1 = StressedSpace.read(reader, AT);
      r.r2 = StressedSpace.readMany(reader, addresses, values);
    }

    /** Unmaps, and stores elsewhere. */
    @Actor
    public void unmap() {
      slot.useAgain();
    }

    /** Maps anew. */
    @Arbiter
    public void restore(II_Result r) {
      slot.freeAll();
      slot.space.unmap(ELSEWHERE);
      slot.space.mapAnonymously(AT, 1);
      MACHINE.putBack(slot);
    }
  }

  /**
   * The page's tables become pages of data that looks like tables: every word is an entry for the
   * frame that it stands in. Reads walk.
   */
  @JCStressTest
  @Outcome(id = "7", expect = ACCEPTABLE, desc = "Read, then unmapped")
  @Outcome(id = "-1", expect = ACCEPTABLE, desc = "Unmapped, then SIGSEGV")
  @Outcome(expect = FORBIDDEN, desc = "The walk used a page that was no longer a table")
  @State
  public static class UnmapTables {
    private static final StressMachine<Slot> MACHINE = new StressMachine<>(Slot::on);

    private final Slot slot = MACHINE.take();

    /** Writes the page. */
    public UnmapTables() {
      slot.space.write(AT, WORD);
    }

    /** Reads by a new walk each time, until the page is gone. */
    @Actor
    public void read(I_Result r) {
      r.r1 = WORD;
      for (int i = 0; i < WALKS && r.r1 == WORD; i++) {
        r.r1 = slot.space.read(AT);
      }
    }

    /** Unmaps, and stores entries into the freed frames. */
    @Actor
    public void unmap() {
      slot.space.unmap(AT);
      EntryLayout layout = slot.other.mm().table().layout();
      int slotInTable = (int) layout.slot(AT, Level.PTE);
      for (int page = 0; page < FAR_PAGES; page++) {
        long va = FAR + page * Pages.SIZE;
        slot.other.write(va, OTHERS_WORD);
        int leaf = (int) layout.leaf(slot.other.pfn(va), Access.READ_WRITE);
        slot.other.write(va + slotInTable, leaf);
      }
    }

    /** Maps anew. */
    @Arbiter
    public void restore(I_Result r) {
      slot.freeAll();
      slot.space.mapAnonymously(AT, 1);
      MACHINE.putBack(slot);
    }
  }

  /**
   * Two processes share a frame. One discards it by madvise, and then the other may keep it as its
   * own and store into it: a thread of the first that still reads must not see the store.
   */
  @JCStressTest
  @Outcome(id = "7", expect = ACCEPTABLE, desc = "Read, then discarded")
  @Outcome(id = "0", expect = ACCEPTABLE, desc = "Discarded, then faulted in as zeros")
  @Outcome(expect = FORBIDDEN, desc = "The private store of another process")
  @State
  public static class FrameReusedByTheOther {
    private static final StressMachine<StressedSpace> MACHINE =
        new StressMachine<>(FrameReusedByTheOther::newParent);

    private final StressedSpace parent = MACHINE.take();
    private final StressedSpace child;
    private final AddressReader reader;

    private static StressedSpace newParent(StressMachine<StressedSpace> machine) {
      StressedSpace space = machine.space();
      space.mapAnonymously(AT, 1);
      return space;
    }

    /** Shares a frame and caches the child's translation. */
    public FrameReusedByTheOther() {
      parent.write(AT, WORD);
      child = parent.fork();
      reader = child.reader();
      StressedSpace.read(reader, AT);
    }

    /** Stores in the parent, then reads in the child. */
    @Actor
    public void storeAndRead(I_Result r) {
      parent.write(AT, OTHERS_WORD);
      r.r1 = StressedSpace.read(reader, AT);
    }

    /** Discards the page in the child. */
    @Actor
    public void discard() {
      child.discard(AT);
    }

    /** Starts over. */
    @Arbiter
    public void restore(I_Result r) {
      child.exit();
      parent.discard(AT);
      MACHINE.putBack(parent);
    }
  }
}
