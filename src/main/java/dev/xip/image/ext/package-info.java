/**
 * Reads ext2 images with 4 KiB blocks: superblock, groups, inodes, block trees and directories, all
 * checked before use. It never changes an image, replays a journal without a write, and hands image
 * memory to nothing but the JVM's own loads and copies.
 */
package dev.xip.image.ext;
