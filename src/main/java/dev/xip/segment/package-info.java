/**
 * Saved segments (DCSS): their names, types and definitions, the store folder that keeps them,
 * loading them at their physical addresses, and block devices over them. It never makes a page
 * frame for a segment, never interprets its bytes, and never touches a page table.
 *
 * <p>Linux counterparts: arch/s390/mm/extmem.c and drivers/s390/block/dcssblk.c; the store folder
 * stands in for the hypervisor. Lock order: the lock of the devices, then a loader's mutex, then a
 * store's lock, then the monitor of {@link dev.xip.phys.PhysicalMemory}. All of them may block, so
 * none is taken under a spin lock. The on-disk form, the codes and where xip differs are in
 * README.md beside this file.
 */
package dev.xip.segment;
