/**
 * Makes images of folders of the host and of tar archives, with the formats' own tools; {@code
 * pack.ext} fills an ext image itself, to keep what mke2fs loses and to align large files.
 */
package dev.xip.pack;
