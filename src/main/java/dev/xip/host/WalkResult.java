package dev.xip.host;

import dev.xip.bindings.Xip;
import dev.xip.bindings.xip_entry;
import java.lang.foreign.MemorySegment;

/**
 * The entry that decides about an address, as libxip found it: struct xip_entry of
 * include/xip/xip.h.
 *
 * @param va of a walk the address asked for, of a dump the first one that the entry covers
 * @param pte the entry as loaded
 * @param pa where {@code va} lies, for a leaf; otherwise 0
 * @param level the table that holds the entry: 0 PTE, 1 PMD, 2 PUD, 3 PGD
 * @param state the kind of the entry
 * @param special whether it is a leaf with the special bit
 * @param pageShift log2 of the bytes of address space that the entry covers
 */
public record WalkResult(
    long va, long pte, long pa, int level, State state, boolean special, int pageShift) {

  /** The kind of an entry. */
  public enum State {
    /** Empty. */
    NONE(Xip.XIP_WALK_NONE()),
    /** A leaf that hardware would use. */
    PRESENT(Xip.XIP_WALK_PRESENT()),
    /** A leaf whose page allows no access; Linux counts it as present. */
    PROT_NONE(Xip.XIP_WALK_PROT_NONE()),
    /** Something else than a page. */
    NOT_PRESENT(Xip.XIP_WALK_NOT_PRESENT()),
    /** Damage: a table outside the window, a loop, a misaligned huge leaf. */
    BAD(Xip.XIP_WALK_BAD());

    private final int number;

    State(int number) {
      this.number = number;
    }

    private static State of(int number) {
      for (State each : values()) {
        if (each.number == number) {
          return each;
        }
      }
      throw new IllegalStateException("libxip: unknown walk state " + number);
    }
  }

  static WalkResult read(MemorySegment struct) {
    return new WalkResult(
        xip_entry.va(struct),
        xip_entry.pte(struct),
        xip_entry.pa(struct),
        xip_entry.level(struct),
        State.of(xip_entry.state(struct)),
        xip_entry.special(struct) != 0,
        xip_entry.page_shift(struct));
  }

  @Override
  public String toString() {
    return "va 0x%x: pte 0x%x at level %d, %s, pa 0x%x%s, 2^%d bytes"
        .formatted(va, pte, level, state, pa, special ? ", special" : "", pageShift);
  }
}
