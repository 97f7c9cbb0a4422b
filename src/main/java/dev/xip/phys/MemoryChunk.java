package dev.xip.phys;

import dev.xip.base.AddrRange;

/**
 * A stretch of physical memory that the kernel keeps on a list: a bank of RAM or a loaded segment.
 * Linux counterpart: {@code struct memory_segment} (arch/s390/mm/vmem.c of 2.6.24), which has a
 * start and a size.
 *
 * @param range the physical addresses, page aligned
 * @param refcounted whether its pages have page frames. No release has this member: it is the bit
 *     "refcount this one" that was proposed on 21 December 2007
 *     (20071221104701.GE28484@wotan.suse.de)
 */
public record MemoryChunk(AddrRange range, boolean refcounted) {}
