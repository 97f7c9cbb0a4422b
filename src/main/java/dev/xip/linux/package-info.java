/**
 * Unmodified Linux programs out of an image in a segment, on a virtual processor: system calls,
 * each group of them in a file of its own. So far programs of one process, which use memory, read
 * the files of the image and have the standard streams; libraries are mapped in place. A call that
 * is missing gives ENOSYS and is counted in {@link dev.xip.linux.ProgramResult}.
 *
 * <p>A program is hostile: an address that it passes is read and written through its own page
 * tables, and it reaches nothing of the host but the streams that it was given.
 */
package dev.xip.linux;
