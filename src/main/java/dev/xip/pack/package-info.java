/**
 * Makes images of folders of the host, with the formats' own tools; {@code pack.ext} fills an ext2
 * image itself, to keep what mke2fs loses and to align large files.
 */
package dev.xip.pack;
