package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.Crc32c;
import dev.xip.base.FileName;
import dev.xip.base.MalformedDataException;
import dev.xip.image.Inode;
import java.util.Arrays;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Reads the extended attributes of one inode: those behind its fields, then those in the block that
 * it names. Terminates on any list: each entry begins behind the one before. Linux counterpart:
 * fs/ext4/xattr.c:ext4_listxattr and check_xattrs.
 */
final class AttributeReader {
  /** The name, behind the prefix, of the attribute that holds inline data. */
  private static final FileName DATA = FileName.of("data");

  private final ByteView view;
  private final Superblock superblock;
  private final InodeTable inodes;
  private final Inode inode;
  private final SortedMap<FileName, byte[]> found = new TreeMap<>();

  private AttributeReader(ByteView view, Superblock superblock, InodeTable inodes, Inode inode) {
    this.view = view;
    this.superblock = superblock;
    this.inodes = inodes;
    this.inode = inode;
  }

  /**
   * A list of attributes.
   *
   * @param first where its entries begin
   * @param names where they end
   * @param base where the offsets of values count from
   * @param end where the room for entries and values ends
   */
  private record Entries(long first, long names, long base, long end) {}

  /**
   * Reads all attributes that the kernel would list.
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
    AttributeReader reader = new AttributeReader(view, superblock, inodes, inode);
    Entries inInode = reader.inInode();
    if (inInode != null) {
      reader.readAll(inInode);
    }
    Entries inBlock = reader.inBlock();
    if (inBlock != null) {
      reader.readAll(inBlock);
    }
    return reader.found;
  }

  /** {@return whether an inode has attributes, as the kernel sees them} */
  static boolean hasAny(ByteView view, Superblock superblock, InodeTable inodes, Inode inode)
      throws MalformedDataException {
    AttributeReader reader = new AttributeReader(view, superblock, inodes, inode);
    return reader.inInode() != null || inodes.attributesBlock(inode.offset()) != 0;
  }

  /**
   * Finds the attribute that holds an inode's inline data behind the first 60 bytes.
   *
   * @param view the image
   * @param superblock its superblock
   * @param inodes its inodes
   * @param inode an inode whose flags say that it has inline data
   * @return where the data lie
   * @throws MalformedDataException if it has no such attribute, or the attributes are damaged
   */
  static InlineData inlineData(ByteView view, Superblock superblock, InodeTable inodes, Inode inode)
      throws MalformedDataException {
    AttributeReader reader = new AttributeReader(view, superblock, inodes, inode);
    Entries list = reader.inInode();
    if (list != null) {
      for (long at = list.first; at < list.names; at += reader.length(at)) {
        if (view.u8(at + AttributeLayout.E_NAME_INDEX) == AttributePrefix.SYSTEM.number()
            && FileName.of(reader.rest(at)).equals(DATA)
            && view.u32(at + AttributeLayout.E_VALUE_INUM) == 0) {
          return new InlineData(inode, reader.place(at, list), reader.size(at));
        }
      }
    }
    throw view.malformed(
        inode.offset() + ExtLayout.I_FLAGS,
        "the attribute system.data in inode %d, for its inline data".formatted(inode.number()),
        "no such attribute");
  }

  /** The list behind the fields of the inode, null if there is none. */
  private Entries inInode() throws MalformedDataException {
    if (superblock.inodeSize() == ExtLayout.OLD_INODE_SIZE) {
      return null;
    }
    int extra = inodes.extraSize(inode.offset());
    long at = inode.offset() + ExtLayout.OLD_INODE_SIZE + extra;
    long first = at + AttributeLayout.INODE_HEADER_SIZE;
    long end = inode.offset() + superblock.inodeSize();
    if (extra == 0
        || first > end
        || view.u32(at + AttributeLayout.H_MAGIC) != AttributeLayout.MAGIC) {
      return null;
    }
    return new Entries(first, endOfNames(first, end), first, end);
  }

  /** The list in the block that the inode names, null if there is none. */
  private Entries inBlock() throws MalformedDataException {
    long block = inodes.attributesBlock(inode.offset());
    if (block == 0) {
      return null;
    }
    long field = inode.offset() + ExtLayout.I_FILE_ACL;
    long at = superblock.offset(view, field, block, "a block of attributes");
    long magic = view.u32(at + AttributeLayout.H_MAGIC);
    if (magic != AttributeLayout.MAGIC) {
      throw view.malformed(
          at, "the magic 0xea020000 of a block of attributes", "0x%08x".formatted(magic));
    }
    long blocks = view.u32(at + AttributeLayout.H_BLOCKS);
    if (blocks != 1) {
      throw view.malformed(at + AttributeLayout.H_BLOCKS, "attributes in 1 block", "in " + blocks);
    }
    checkBlock(at, block);
    long end = at + superblock.blockSize();
    long first = at + AttributeLayout.BLOCK_HEADER_SIZE;
    return new Entries(first, endOfNames(first, end), at, end);
  }

  /** The checksum covers the number of the block, then the block with zeros in its own place. */
  private void checkBlock(long at, long block) throws MalformedDataException {
    if (!superblock.checksums().inBlocks()) {
      return;
    }
    long field = at + AttributeLayout.H_CHECKSUM;
    int computed = Crc32c.ofNumber(superblock.checksums().seed(), block, Long.BYTES);
    computed = Crc32c.ofNumber(Crc32c.of(computed, view, at, field), 0, Integer.BYTES);
    computed = Crc32c.of(computed, view, field + Integer.BYTES, at + superblock.blockSize());
    if (computed != view.s32(field)) {
      throw view.malformed(
          field,
          "the checksum 0x%08x of block %d of attributes".formatted(computed, block),
          "0x%08x".formatted(view.s32(field)));
    }
  }

  private void readAll(Entries list) throws MalformedDataException {
    for (long at = list.first; at < list.names; at += length(at)) {
      AttributePrefix prefix = AttributePrefix.ofNumber(view.u8(at + AttributeLayout.E_NAME_INDEX));
      if (prefix == null) {
        continue;
      }
      FileName name = name(at, prefix);
      if (!prefix.isListed()) {
        continue;
      }
      if (found.containsKey(name)) {
        throw view.malformed(at, "each attribute once", "another " + name);
      }
      byte[] value = value(at, prefix, list);
      if (!prefix.isAcl() || !PosixAcl.isEmpty(value)) {
        found.put(name, value);
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
      at += at + AttributeLayout.E_NAME <= end ? length(at) : AttributeLayout.E_NAME;
    }
    throw view.malformed(
        first, "a list of attributes that ends before 0x%x".formatted(end), "no end");
  }

  private int length(long at) throws MalformedDataException {
    int length = AttributeLayout.E_NAME + view.u8(at + AttributeLayout.E_NAME_LEN);
    return length + AttributeLayout.ALIGNMENT - 1 & -AttributeLayout.ALIGNMENT;
  }

  private byte[] rest(long at) throws MalformedDataException {
    return view.bytes(at + AttributeLayout.E_NAME, view.u8(at + AttributeLayout.E_NAME_LEN));
  }

  private FileName name(long at, AttributePrefix prefix) throws MalformedDataException {
    byte[] rest = rest(at);
    boolean ends = rest.length == 0;
    for (byte each : rest) {
      ends |= each == 0;
    }
    if (prefix.isWhole() ? rest.length != 0 : ends) {
      throw view.malformed(
          at + AttributeLayout.E_NAME_LEN,
          prefix.isWhole() ? "no name but the prefix" : "a name without a zero byte",
          "%d bytes of name".formatted(rest.length));
    }
    byte[] whole = Arrays.copyOf(prefix.bytes(), prefix.bytes().length + rest.length);
    System.arraycopy(rest, 0, whole, prefix.bytes().length, rest.length);
    return FileName.of(whole);
  }

  private byte[] value(long at, AttributePrefix prefix, Entries list)
      throws MalformedDataException {
    byte[] value;
    long place;
    if (view.u32(at + AttributeLayout.E_VALUE_INUM) != 0) {
      value = new ValueInode(view, superblock, inodes, inode).read(at);
      place = at + AttributeLayout.E_VALUE_INUM;
    } else {
      place = place(at, list);
      int size = size(at);
      value = size == 0 ? new byte[0] : view.bytes(place, size);
    }
    return prefix.isAcl() ? PosixAcl.read(view, place, value) : value;
  }

  /** Returns where a value lies that is in the list; it does not overlap the entries. */
  private long place(long at, Entries list) throws MalformedDataException {
    long size = view.u32(at + AttributeLayout.E_VALUE_SIZE);
    long value = list.base + view.u16(at + AttributeLayout.E_VALUE_OFFS);
    if (size > 0
        && (value < list.names + Integer.BYTES || value > list.end || size > list.end - value)) {
      throw view.malformed(
          at + AttributeLayout.E_VALUE_OFFS,
          "a value in 0x%x..0x%x".formatted(list.names + Integer.BYTES, list.end),
          "%d bytes at 0x%x".formatted(size, value));
    }
    return value;
  }

  private int size(long at) throws MalformedDataException {
    return (int) view.u32(at + AttributeLayout.E_VALUE_SIZE);
  }
}
