package dev.xip.phys;

import dev.xip.base.AddrRange;

/**
 * Answers "is there a page frame?" from a number alone, by looking something up. A new model knows
 * of no memory; {@link PhysicalMemory#attach} tells it of all memory and of later changes. Linux
 * counterpart: {@code pfn_valid} of the memory model that a kernel is built for.
 *
 * <p>A model that answers from RAM alone ignores the calls about segments, and the other way round.
 */
public interface MemoryModel {
  /** {@return the model's name, such as {@code flat}} */
  String name();

  /**
   * Tells whether there is a page frame for a number, as far as the model can see. Any number may
   * be asked for; one beyond what an entry can hold has none.
   *
   * @param pfn a page frame number
   * @return the model's answer
   * @throws dev.xip.base.SleepingInAtomicException if the model sleeps and the caller may not
   */
  boolean pfnValid(long pfn);

  /**
   * Adds a bank of RAM. Called while the machine boots.
   *
   * @param bank the physical addresses, page aligned
   */
  default void addRam(AddrRange bank) {}

  /**
   * Adds a segment.
   *
   * @param segment the region that was claimed
   */
  default void addSegment(Region segment) {}

  /**
   * Removes a segment.
   *
   * @param segment a region that was added
   */
  default void removeSegment(Region segment) {}
}
