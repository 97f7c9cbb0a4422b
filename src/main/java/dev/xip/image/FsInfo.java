package dev.xip.image;

import java.util.List;

/**
 * The decoded superblock of an image.
 *
 * @param format the format's name, such as {@code ext2} or {@code erofs}
 * @param label the volume label, or empty
 * @param uuid the volume's UUID in the usual notation
 * @param blockSize the block size in bytes
 * @param blocks how many blocks there are
 * @param freeBlocks how many are free
 * @param inodes how many inodes there are
 * @param freeInodes how many are free
 * @param features the names of the features set, unknown ones in hex
 * @param doubts why the image may be damaged, in words: that it was not unmounted, or that errors
 *     were found in it; usually empty
 */
public record FsInfo(
    String format,
    String label,
    String uuid,
    int blockSize,
    long blocks,
    long freeBlocks,
    long inodes,
    long freeInodes,
    List<String> features,
    List<String> doubts) {}
