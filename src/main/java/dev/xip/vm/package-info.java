/**
 * The memory manager: address spaces, their mappings, faults that insert entries, and the one judge
 * of whether an entry has a page frame. It never knows a file system or a segment, only what {@link
 * dev.xip.mapping.Mappable} says, and it never touches the bytes behind a special entry on its own.
 *
 * <p>Lock order, outermost first: the map lock of an address space (a parent's before its child's),
 * the mutex of the sparse page, the lock of a file's mappings, whatever a file locks to translate
 * or allocate, the entry lock of a leaf table (spin; a child's before its parent's, and of two
 * tables of one space in any order, under the map lock held exclusively), then one of the zone lock
 * of the frame allocator, the lock of the bad entries and, on a machine that lists its segments
 * under a spin lock, the lock of that list. Nothing may block under a spin lock.
 */
package dev.xip.vm;
