/**
 * Unmodified Linux programs out of an image in a segment, on virtual processors: system calls, each
 * group of them in a file of its own. {@link dev.xip.linux.Program} runs one with all processes
 * that it starts. Files are those of the image, and libraries are mapped in place. A call that is
 * missing gives ENOSYS and is counted in {@link dev.xip.linux.ProgramResult}. {@code README.md}
 * beside this file says how tasks, waiting and signals work.
 *
 * <p>A program is hostile: an address that it passes is read and written through its own page
 * tables, and it reaches nothing of the host but the streams that it was given.
 */
package dev.xip.linux;
