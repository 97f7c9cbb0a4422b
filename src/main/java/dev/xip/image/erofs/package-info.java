/**
 * Reads EROFS images on one device: superblock, inodes, blocks, chunks, directories and extended
 * attributes, all checked before use, and files compressed with LZ4. It never changes an image, and
 * hands image memory to nothing but the JVM's own loads and copies.
 */
package dev.xip.image.erofs;
