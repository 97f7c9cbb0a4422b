/**
 * Physical memory: one window of reserved address space, RAM with its page frames in one bank or in
 * several, and the list of regions that segments claim beside it. It never knows what a page is
 * used for, and it makes page frames for RAM alone, unless a machine is booted with {@link
 * dev.xip.phys.RegionFrames} for the comparison.
 *
 * <p>A host address is the window's base plus {@code pfn << 12}: one addition, no lookup. Claiming
 * a region does not change {@link dev.xip.phys.PageFrames} by a byte, whatever its size. The array
 * has records for holes between banks, as a FLATMEM kernel's has, and no memory behind them.
 *
 * <p>Page-table entries may outlive the region that they point to. After its release loads through
 * them find zeros, and stores are refused.
 *
 * <p>A {@link dev.xip.phys.MemoryModel} answers from the number alone whether it has a page frame;
 * there is one for each way to look it up. It learns of memory as the machine boots, in the order
 * of {@link dev.xip.phys.BootStep}.
 */
package dev.xip.phys;
