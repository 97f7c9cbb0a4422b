/**
 * Physical memory: one window of reserved address space, RAM with its page frames at the bottom,
 * and the list of regions that segments claim above it. It never knows what a page is used for, and
 * it never makes a page frame for anything but RAM.
 *
 * <p>A host address is the window's base plus {@code pfn << 12}: one addition, no lookup. Claiming
 * a region does not change {@link dev.xip.phys.PageFrames} by a byte, whatever its size.
 *
 * <p>Entries may outlive the region that they lead to. Where one was released, late loads find
 * zeros, and where it was writable, late stores go into private memory, which {@link
 * dev.xip.phys.PhysicalMemory} takes back when the place is claimed again.
 *
 * <p>Whether a number has a page frame is also asked of a {@link dev.xip.phys.MemoryModel}, of
 * which there are as many as ways to look it up.
 */
package dev.xip.phys;
