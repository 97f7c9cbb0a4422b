/**
 * The memory manager: address spaces, their mappings, faults that insert entries, and the one judge
 * of whether an entry has a page frame. It never knows a file system or a segment, only what {@link
 * dev.xip.mapping.Mappable} says, and it never touches the bytes behind a special entry on its own.
 *
 * <p>Lock order, outermost first: the map lock of an address space, the entry lock of a table page
 * (spin), then one of the zone lock of the frame allocator, the lock of the bad entries and, on a
 * machine that lists its segments under a spin lock, the lock of that list. Nothing may block under
 * a spin lock.
 */
package dev.xip.vm;
