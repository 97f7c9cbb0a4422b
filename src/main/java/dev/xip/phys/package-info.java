/**
 * Physical memory: one window of reserved address space, RAM with its page frames at the bottom,
 * and the list of regions that segments claim above it. It never knows what a page is used for, and
 * it never makes a page frame for anything but RAM.
 *
 * <p>A host address is the window's base plus {@code pfn << 12}: one addition, no lookup. Claiming
 * a region does not change {@link dev.xip.phys.PageFrames} by a byte, whatever its size.
 *
 * <p>Whether a number has a page frame is also asked of a {@link dev.xip.phys.MemoryModel}, of
 * which there are as many as ways to look it up.
 */
package dev.xip.phys;
