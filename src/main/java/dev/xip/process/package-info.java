/**
 * Modelled processes: exec that builds the new stack through get_user_pages and maps a program's
 * segments from the image, fork, exit, core files and direct I/O. It never runs an instruction,
 * never maps anything on the host, and reads memory only through {@code dev.xip.vm}.
 */
package dev.xip.process;
