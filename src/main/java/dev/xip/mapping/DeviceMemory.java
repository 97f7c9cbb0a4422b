package dev.xip.mapping;

/**
 * Memory that is mapped by page frame number, whether or not there is a page frame, and never
 * counted: registers or buffers of a device. Its mappings have PFNMAP and IO. Linux counterpart: a
 * driver's {@code mmap}, as {@code fb_mmap} (drivers/video/fbdev/core/fbmem.c) or {@code mmap_mem}
 * (drivers/char/mem.c).
 *
 * <p>Precondition: the owner keeps the memory until the last mapping is gone ({@link #detach}), as
 * no entry holds a reference to it.
 */
public interface DeviceMemory extends Mappable {
  /**
   * {@return whether mmap makes all entries at once, by {@code remap_pfn_range}; if not, a fault
   * makes the entry of its page, by {@code vm_insert_pfn}, and the memory can be mapped shared
   * only}
   */
  boolean isEnteredAtOnce();
}
