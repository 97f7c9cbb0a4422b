package dev.xip.image;

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
  /** The bytes are compressed. */
  COMPRESSED("compressed"),
  /** The bytes are encrypted. */
  ENCRYPTED("encrypted"),
  /** Blocks are smaller than a page. */
  SMALL_BLOCKS("block size below page size");

  private final String reason;

  Verdict(String reason) {
    this.reason = reason;
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
      case IN_PLACE, INLINE, TAIL_PACKED, SMALL_BLOCKS -> true;
      case NOT_REGULAR, COMPRESSED, ENCRYPTED -> false;
    };
  }
}
