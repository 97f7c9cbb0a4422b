package dev.xip.phys;

import dev.xip.base.AddrRange;

/**
 * Answers "is there a page frame?" from a number alone, by looking something up. A model is made
 * before it knows anything; {@link PhysicalMemory#attach} initialises it and keeps it told. Linux
 * counterpart: {@code pfn_valid} of the memory model that a kernel is built for.
 *
 * <p>Models that answer from RAM alone ignore what is said about segments, and the other way round.
 */
public interface MemoryModel {
  /**
   * Names the model.
   *
   * @return such as {@code flat}
   */
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
   * Learns of a bank of RAM. Called while the machine boots.
   *
   * @param bank the physical addresses, page aligned
   */
  default void addRam(AddrRange bank) {}

  /**
   * Learns of a segment.
   *
   * @param segment the region that was claimed
   */
  default void addSegment(Region segment) {}

  /**
   * Learns that a segment is gone.
   *
   * @param segment a region that was added
   */
  default void removeSegment(Region segment) {}
}
