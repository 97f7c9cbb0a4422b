/**
 * Fills an ext2 or ext4 image that mke2fs has made with files, large ones aligned to 2 MiB. It
 * knows their layout, and nothing of the folder that the files come from. Counterpart of libext2fs.
 */
package dev.xip.pack.ext;
