package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.FileName;
import dev.xip.base.MalformedDataException;
import dev.xip.image.Inode;
import java.util.Arrays;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Reads the extended attributes of one inode: those behind its fields, then those in the block that
 * it names. Terminates on any list: each entry begins behind the one before. Linux counterpart:
 * fs/ext4/xattr.c:ext4_xattr_list and xattr_check_inode.
 */
final class AttributeReader {
  private final ByteView view;
  private final SortedMap<FileName, byte[]> found = new TreeMap<>();

  private AttributeReader(ByteView view) {
    this.view = view;
  }

  /**
   * Reads all attributes.
   *
   * @param view the image
   * @param superblock its superblock
   * @param inodes its inodes
   * @param inode the inode whose attributes are read
   * @return the values by whole name, in the form of the system calls
   * @throws MalformedDataException if they are damaged
   */
  static SortedMap<FileName, byte[]> read(
      ByteView view, Superblock superblock, InodeTable inodes, Inode inode)
      throws MalformedDataException {
    AttributeReader reader = new AttributeReader(view);
    if (superblock.inodeSize() > ExtLayout.OLD_INODE_SIZE) {
      int extra = inodes.extraSize(inode.offset());
      if (extra > 0) {
        long at = inode.offset() + ExtLayout.OLD_INODE_SIZE + extra;
        reader.inInode(at, inode.offset() + superblock.inodeSize());
      }
    }
    long field = inode.offset() + ExtLayout.I_FILE_ACL;
    long block = inodes.attributesBlock(inode.offset());
    if (block != 0) {
      long at = superblock.offset(view, field, block, "a block of attributes");
      reader.inBlock(at, superblock.blockSize());
    }
    return reader.found;
  }

  private void inInode(long at, long end) throws MalformedDataException {
    if (at + ExtLayout.INODE_ATTRIBUTES_HEADER_SIZE <= end
        && view.u32(at + ExtLayout.H_MAGIC) == ExtLayout.ATTRIBUTES_MAGIC) {
      long first = at + ExtLayout.INODE_ATTRIBUTES_HEADER_SIZE;
      entries(first, first, end);
    }
  }

  private void inBlock(long at, int blockSize) throws MalformedDataException {
    long magic = view.u32(at + ExtLayout.H_MAGIC);
    if (magic != ExtLayout.ATTRIBUTES_MAGIC) {
      throw view.malformed(
          at, "the magic 0xea020000 of a block of attributes", "0x%08x".formatted(magic));
    }
    long blocks = view.u32(at + ExtLayout.H_BLOCKS);
    if (blocks != 1) {
      throw view.malformed(at + ExtLayout.H_BLOCKS, "attributes in 1 block", "in " + blocks);
    }
    entries(at + ExtLayout.ATTRIBUTES_HEADER_SIZE, at, at + blockSize);
  }

  /**
   * Reads a list of entries.
   *
   * @param first where it begins
   * @param base where the offsets of values count from
   * @param end where the room for entries and values ends
   */
  private void entries(long first, long base, long end) throws MalformedDataException {
    long names = endOfNames(first, end);
    for (long at = first; at < names; at += length(at)) {
      FileName name = name(at);
      if (found.put(name, value(at, base, names, end)) != null) {
        throw view.malformed(at, "each attribute once", "another " + name);
      }
    }
  }

  /** Finds the four zero bytes behind the last entry, and checks that all entries lie inside. */
  private long endOfNames(long first, long end) throws MalformedDataException {
    long at = first;
    while (at + Integer.BYTES <= end) {
      if (view.u32(at) == 0) {
        return at;
      }
      at += at + ExtLayout.E_NAME <= end ? length(at) : ExtLayout.E_NAME;
    }
    throw view.malformed(
        first, "a list of attributes that ends before 0x%x".formatted(end), "no end");
  }

  private int length(long at) throws MalformedDataException {
    int length = ExtLayout.E_NAME + view.u8(at + ExtLayout.E_NAME_LEN);
    return length + ExtLayout.ATTRIBUTE_ALIGNMENT - 1 & -ExtLayout.ATTRIBUTE_ALIGNMENT;
  }

  private FileName name(long at) throws MalformedDataException {
    int number = view.u8(at + ExtLayout.E_NAME_INDEX);
    AttributePrefix prefix = AttributePrefix.ofNumber(number);
    if (prefix == null) {
      throw view.malformed(
          at + ExtLayout.E_NAME_INDEX,
          "an attribute of user, trusted, security or system",
          "one of the kind " + number);
    }
    byte[] rest = view.bytes(at + ExtLayout.E_NAME, view.u8(at + ExtLayout.E_NAME_LEN));
    boolean ends = rest.length == 0;
    for (byte each : rest) {
      ends |= each == 0;
    }
    if (prefix.isWhole() ? rest.length != 0 : ends) {
      throw view.malformed(
          at + ExtLayout.E_NAME_LEN,
          prefix.isWhole() ? "no name but the prefix" : "a name without a zero byte",
          "%d bytes of name".formatted(rest.length));
    }
    byte[] whole = Arrays.copyOf(prefix.bytes(), prefix.bytes().length + rest.length);
    System.arraycopy(rest, 0, whole, prefix.bytes().length, rest.length);
    return FileName.of(whole);
  }

  private byte[] value(long at, long base, long names, long end) throws MalformedDataException {
    long inode = view.u32(at + ExtLayout.E_VALUE_INUM);
    if (inode != 0) {
      throw view.malformed(
          at + ExtLayout.E_VALUE_INUM, "a value beside its name", "one in inode " + inode);
    }
    long size = view.u32(at + ExtLayout.E_VALUE_SIZE);
    long value = base + view.u16(at + ExtLayout.E_VALUE_OFFS);
    if (size > 0 && (value < names + Integer.BYTES || value > end || size > end - value)) {
      throw view.malformed(
          at + ExtLayout.E_VALUE_OFFS,
          "a value in 0x%x..0x%x".formatted(names + Integer.BYTES, end),
          "%d bytes at 0x%x".formatted(size, value));
    }
    boolean acl = AttributePrefix.ofNumber(view.u8(at + ExtLayout.E_NAME_INDEX)).isAcl();
    if (acl) {
      return PosixAcl.read(view, value, (int) size);
    }
    return size == 0 ? new byte[0] : view.bytes(value, (int) size);
  }
}
