/**
 * A {@code java.nio.file} provider for images: the files of an ext2, ext3, ext4 or EROFS image
 * through {@link java.nio.file.Files}, read-only, without a mount. It is found by {@link
 * java.util.ServiceLoader}: {@link java.nio.file.FileSystems#newFileSystem(java.nio.file.Path)}
 * opens any image, and {@code xip:} URIs name the files in it.
 */
package dev.xip.nio;
