package dev.xip.phys;

import dev.xip.base.AddrRange;

/**
 * Answers "is there a page frame?" from a number alone, by looking something up. A new model knows
 * of no memory; {@link PhysicalMemory#attach} tells it of memory in the order of {@link BootStep},
 * and of later changes. Linux counterpart: {@code pfn_valid} of the memory model that a kernel is
 * built for.
 *
 * <p>A model ignores the calls about what it does not look at.
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

  /** {@return how many chunks a question looks at, at most, under a lock; 0 if it takes none} */
  default int chunksWalked() {
    return 0;
  }

  /**
   * Adds a bank of RAM, for which there are page frames. Called at {@link BootStep#STATIC_TABLES}.
   *
   * @param bank the physical addresses, page aligned
   */
  default void addRam(AddrRange bank) {}

  /**
   * Adds memory to the kernel's own mapping: RAM at {@link BootStep#STATIC_TABLES}, a segment when
   * it is loaded. Linux counterpart: {@code vmem_add_range}.
   *
   * @param range the physical addresses, page aligned
   */
  default void map(AddrRange range) {}

  /**
   * Takes memory out of the kernel's own mapping. Linux counterpart: {@code vmem_remove_range}.
   *
   * @param range physical addresses that were mapped
   */
  default void unmap(AddrRange range) {}

  /**
   * Puts memory on the list: RAM at {@link BootStep#MEMORY_CHUNKS}, a segment when it is loaded.
   * Linux counterpart: {@code vmem_convert_memory_chunk} and {@code insert_memory_segment}.
   *
   * @param chunk the memory
   */
  default void addChunk(MemoryChunk chunk) {}

  /**
   * Takes memory off the list. Linux counterpart: {@code remove_memory_segment}.
   *
   * @param chunk memory that is on it
   */
  default void removeChunk(MemoryChunk chunk) {}
}
