/**
 * Reads images of ext2, ext3 and ext4: superblock, groups, inodes, trees of blocks and of extents,
 * directories and attributes, all checked before use, with their checksums where there are any. It
 * never changes an image: of a journal that needs recovery it computes which blocks it replaces. It
 * hands image memory to nothing but the JVM's own loads and copies.
 */
package dev.xip.image.ext;
