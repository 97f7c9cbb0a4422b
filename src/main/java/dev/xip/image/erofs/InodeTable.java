package dev.xip.image.erofs;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import java.io.IOException;
import java.time.Instant;

/**
 * Finds inodes by number and decodes them. The number of an inode is its nid: where it lies, in
 * slots of 32 bytes. In images with a metabox it is made from the nid as the kernel does. Linux
 * counterpart: fs/erofs/inode.c:erofs_read_inode.
 */
final class InodeTable {
  /** In the number of an inode: it lies in the metabox. */
  private static final long IN_METABOX = 1L << 31;

  private static final long LOW_BITS = IN_METABOX - 1;

  private final ByteView image;
  private final Superblock superblock;
  private final Metabox metabox;

  InodeTable(ByteView image, Superblock superblock, Metabox metabox) {
    this.image = image;
    this.superblock = superblock;
    this.metabox = metabox;
  }

  /**
   * Returns the number of the inode with a nid. Linux counterpart:
   * fs/erofs/internal.h:erofs_nid_to_ino64.
   *
   * @param nid the nid
   * @return the number, negative if no inode can have this nid
   */
  long number(long nid) {
    if (superblock.metaboxNid() == 0) {
      return nid;
    }
    long high = nid >>> 31 & LOW_BITS;
    return high << 32 | nid & LOW_BITS | (nid < 0 ? IN_METABOX : 0);
  }

  private boolean isInMetabox(long number) {
    return superblock.metaboxNid() != 0 && (number & IN_METABOX) != 0;
  }

  /** The number of the slot that an inode begins in. */
  private long slot(long number) {
    return superblock.metaboxNid() == 0 ? number : number >>> 32 << 31 | number & LOW_BITS;
  }

  /**
   * Returns the bytes that an inode lies in: those of the image, or of its metabox.
   *
   * @param number the inode's number
   * @return the bytes
   * @throws IOException if the metabox is damaged
   */
  ByteView view(long number) throws IOException {
    return isInMetabox(number) ? metabox.view() : image;
  }

  /**
   * Tells whether there is room for an inode of a number.
   *
   * @param number the number, of either sign
   * @return whether the image has a slot for it
   * @throws IOException if the metabox is damaged
   */
  boolean has(long number) throws IOException {
    return number >= 0 && slot(number) < slots(number) && offset(number) >= 0;
  }

  /** Counts the slots in which an inode can begin, as if the first had the number 0. */
  private long slots(long number) throws IOException {
    return view(number).size() - base(number) >> ErofsLayout.SLOT_SHIFT;
  }

  private long base(long number) {
    return isInMetabox(number) ? 0 : superblock.metadata();
  }

  private long offset(long number) {
    return base(number) + (slot(number) << ErofsLayout.SLOT_SHIFT);
  }

  /**
   * Finds an inode.
   *
   * @param number its number
   * @return its byte offset in its {@link #view}
   * @throws IOException if there is none of that number
   */
  long at(long number) throws IOException {
    if (!has(number)) {
      throw image.malformed(
          ErofsLayout.SUPERBLOCK_OFFSET + ErofsLayout.S_META_BLKADDR,
          "an inode number of the image",
          "inode number " + number);
    }
    return offset(number);
  }

  /**
   * Decodes an inode.
   *
   * @param number its number
   * @return the inode
   * @throws IOException if there is none of that number, or it is damaged
   */
  Inode read(long number) throws IOException {
    ByteView view = view(number);
    long at = at(number);
    int format = view.u16(at + ErofsLayout.I_FORMAT);
    boolean extended = (format & ErofsLayout.FORMAT_EXTENDED) != 0;
    if ((format & ~ErofsLayout.FORMAT_ALL) != 0 || layout(format) > ErofsLayout.CHUNK_BASED) {
      throw view.malformed(
          at, "an inode with one of the layouts 0..4", "the format 0x%04x".formatted(format));
    }
    view.checkRange(
        at, extended ? ErofsLayout.EXTENDED_SIZE : ErofsLayout.COMPACT_SIZE, "an inode");
    int mode = view.u16(at + ErofsLayout.I_MODE);
    FileType type = FileType.ofMode(mode);
    if (type == FileType.UNKNOWN) {
      throw view.malformed(
          at + ErofsLayout.I_MODE, "a mode that names a type of file", "0x%04x".formatted(mode));
    }
    long size = size(view, at, extended);
    Instant modified = extended ? extendedTime(view, at) : compactTime(view, at);
    int device =
        type == FileType.CHARACTER_DEVICE || type == FileType.BLOCK_DEVICE
            ? view.s32(at + ErofsLayout.I_U)
            : 0;
    return new Inode(
        number,
        isInMetabox(number) ? at(number(superblock.metaboxNid())) : at,
        mode,
        extended ? view.u32(at + ErofsLayout.EXTENDED_UID) : view.u16(at + ErofsLayout.COMPACT_UID),
        extended ? view.u32(at + ErofsLayout.EXTENDED_GID) : view.u16(at + ErofsLayout.COMPACT_GID),
        extended ? view.u32(at + ErofsLayout.EXTENDED_NLINK) : compactLinks(view, at, type, format),
        size,
        sectors(view, at, format, type, size),
        modified,
        modified,
        modified,
        null,
        // include/linux/kdev_t.h:new_decode_dev
        device >>> 8 & 0xfff,
        device & 0xff | device >>> 12 & 0xfff00,
        0);
  }

  private static long compactLinks(ByteView view, long at, FileType type, int format)
      throws MalformedDataException {
    boolean one = type != FileType.DIRECTORY && (format & ErofsLayout.FORMAT_NLINK_1) != 0;
    return one ? 1 : view.u16(at + ErofsLayout.I_NB);
  }

  private static long size(ByteView view, long at, boolean extended) throws MalformedDataException {
    long field = at + ErofsLayout.I_SIZE;
    long size = extended ? view.u64(field) : view.u32(field);
    if (size < 0 || size > ErofsLayout.MAX_FILE_SIZE) {
      throw view.malformed(
          field,
          "a size of at most 0x%x bytes".formatted(ErofsLayout.MAX_FILE_SIZE),
          "0x%x".formatted(size));
    }
    return size;
  }

  private static Instant extendedTime(ByteView view, long at) throws MalformedDataException {
    long second = view.u64(at + ErofsLayout.EXTENDED_MTIME);
    long nanosecond = view.u32(at + ErofsLayout.EXTENDED_MTIME_NSEC);
    if (second > ErofsLayout.MAX_SECOND
        || second < -ErofsLayout.MAX_SECOND
        || nanosecond >= 1_000_000_000) {
      throw view.malformed(
          at + ErofsLayout.EXTENDED_MTIME,
          "a time of at most 2^54 seconds, and less than 1000000000 nanoseconds",
          "%d s and %d ns".formatted(second, nanosecond));
    }
    return Instant.ofEpochSecond(second, nanosecond);
  }

  private Instant compactTime(ByteView view, long at) throws MalformedDataException {
    return Instant.ofEpochSecond(
        superblock.epoch() + view.u32(at + ErofsLayout.COMPACT_MTIME), superblock.nanoseconds());
  }

  /** Those of a compressed file as they were counted, of others as if there were no holes. */
  private long sectors(ByteView view, long at, int format, FileType type, long size)
      throws MalformedDataException {
    long blocks =
        isCompressed(layout(format))
            ? view.u32(at + ErofsLayout.I_U) | upperBlock(view, at, format, type)
            : Math.ceilDiv(size, superblock.blockSize());
    return blocks << superblock.blockShift() - ErofsLayout.MIN_BLOCK_SHIFT;
  }

  /** Bits 32..47 of a block number or count: 0 where they would be the number of links. */
  private static long upperBlock(ByteView view, long at, int format, FileType type)
      throws MalformedDataException {
    return hasUpperBlock(format, type) ? (long) view.u16(at + ErofsLayout.I_NB) << 32 : 0;
  }

  private static boolean hasUpperBlock(int format, FileType type) {
    boolean one = type != FileType.DIRECTORY && (format & ErofsLayout.FORMAT_NLINK_1) != 0;
    return one || (format & ErofsLayout.FORMAT_EXTENDED) != 0;
  }

  private static int layout(int format) {
    return format >> ErofsLayout.FORMAT_LAYOUT_SHIFT & ErofsLayout.FORMAT_LAYOUT_MASK;
  }

  private static boolean isCompressed(int layout) {
    return layout == ErofsLayout.COMPRESSED_FULL || layout == ErofsLayout.COMPRESSED_COMPACT;
  }

  /**
   * Where to look for an inode's bytes and attributes.
   *
   * @param view what the inode lies in
   * @param layout how the bytes are stored, such as {@link ErofsLayout#FLAT_PLAIN}
   * @param dotOmitted whether a directory has no entry for itself
   * @param block the first block of a flat file, or -1 if it is all hole
   * @param chunkFormat the format of the chunks of a file in chunks
   * @param attributes the byte offset of the attributes, behind the fields of the inode
   * @param end the byte offset behind the attributes
   */
  record Body(
      ByteView view,
      int layout,
      boolean dotOmitted,
      long block,
      int chunkFormat,
      long attributes,
      long end) {

    /** {@return whether the bytes must be decoded} */
    boolean isCompressed() {
      return InodeTable.isCompressed(layout);
    }

    /** {@return whether there are attributes} */
    boolean hasAttributes() {
      return end > attributes;
    }
  }

  /**
   * Decodes what is not for every reader of inodes.
   *
   * @param inode an inode that was decoded by {@link #read}
   * @return the rest of it
   * @throws IOException if it is damaged, or no longer what it was
   */
  Body body(Inode inode) throws IOException {
    ByteView view = view(inode.number());
    long at = at(inode.number());
    int format = view.u16(at + ErofsLayout.I_FORMAT);
    boolean extended = (format & ErofsLayout.FORMAT_EXTENDED) != 0;
    long attributes = at + (extended ? ErofsLayout.EXTENDED_SIZE : ErofsLayout.COMPACT_SIZE);
    int count = view.u16(at + ErofsLayout.I_XATTR_ICOUNT);
    long attributesSize =
        count == 0
            ? 0
            : ErofsLayout.ATTRIBUTES_HEADER_SIZE + (count - 1L) * ErofsLayout.SHARED_ID_SIZE;
    view.checkRange(attributes, attributesSize, "the extended attributes of an inode");
    FileType type = inode.type();
    long block = view.u32(at + ErofsLayout.I_U) | upperBlock(view, at, format, type);
    long none = hasUpperBlock(format, type) ? ErofsLayout.NULL_BLOCK_48 : ErofsLayout.NULL_BLOCK_32;
    return new Body(
        view,
        layout(format),
        type == FileType.DIRECTORY && (format & ErofsLayout.FORMAT_DOT_OMITTED) != 0,
        block == none ? -1 : block,
        view.u16(at + ErofsLayout.I_U),
        attributes,
        attributes + attributesSize);
  }
}
