package dev.xip.image;

import dev.xip.base.Pages;
import java.lang.foreign.MemorySegment;

/** Whether a file's bytes can be used where they lie, or why not. */
public enum Verdict {
  /** Every byte lies in whole, aligned pages of the image. */
  IN_PLACE("in place"),
  /** Not a regular file, so there are no bytes to map. */
  NOT_REGULAR("not a regular file"),
  /** The bytes lie inside the inode. */
  INLINE("inline data"),
  /** The last bytes share a block with metadata. */
  TAIL_PACKED("tail-packed"),
  /** The bytes are compressed, by an algorithm that is known when they are decoded. */
  COMPRESSED("compressed"),
  /** The bytes are compressed with LZ4, which xip decodes. */
  COMPRESSED_LZ4("compressed with LZ4"),
  /** The bytes are compressed with LZMA, which xip does not decode. */
  COMPRESSED_LZMA("compressed with LZMA"),
  /** The bytes are compressed with DEFLATE, which xip does not decode. */
  COMPRESSED_DEFLATE("compressed with DEFLATE"),
  /** The bytes are compressed with Zstandard, which xip does not decode. */
  COMPRESSED_ZSTANDARD("compressed with Zstandard"),
  /** The bytes are encrypted. */
  ENCRYPTED("encrypted"),
  /** The bytes are to be checked against a tree of hashes, which xip does not do. */
  VERITY("protected by fs-verity"),
  /** Blocks are smaller than a page. */
  SMALL_BLOCKS("block size below page size"),
  /** The bytes do not lie in whole pages, such as those of an image that begins inside a page. */
  UNALIGNED("not at a page boundary"),
  /** Bytes lie in the journal, which was replayed in memory. */
  JOURNALED("journaled");

  private final String reason;

  Verdict(String reason) {
    this.reason = reason;
  }

  /**
   * Judges files whose bytes lie in whole blocks.
   *
   * @param image the memory of the image
   * @param blockSize the length of a block in bytes, a power of two
   * @return in place, or why the blocks of this image are no whole pages
   */
  public static Verdict ofBlocks(MemorySegment image, long blockSize) {
    if (blockSize < Pages.SIZE) {
      return SMALL_BLOCKS;
    }
    return image.isNative() && !Pages.isAligned(image.address()) ? UNALIGNED : IN_PLACE;
  }

  /** {@return the verdict as a phrase for messages} */
  public String reason() {
    return reason;
  }

  /**
   * {@return whether a copy of the extents gives the file's bytes; false if there are none, or they
   * must be decoded first}
   */
  public boolean copyable() {
    return switch (this) {
      case IN_PLACE, INLINE, TAIL_PACKED, SMALL_BLOCKS, UNALIGNED, JOURNALED -> true;
      default -> false;
    };
  }

  /** {@return whether the bytes are compressed, with whatever algorithm} */
  public boolean isCompressed() {
    return switch (this) {
      case COMPRESSED, COMPRESSED_LZ4, COMPRESSED_LZMA, COMPRESSED_DEFLATE, COMPRESSED_ZSTANDARD ->
          true;
      default -> false;
    };
  }

  /**
   * {@return whether the bytes can be read, in place or by copy; false if that is not known yet}
   */
  public boolean isReadable() {
    return copyable() || this == COMPRESSED_LZ4;
  }
}
