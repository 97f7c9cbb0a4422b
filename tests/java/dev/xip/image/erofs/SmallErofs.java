package dev.xip.image.erofs;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * An EROFS image written by hand, in forms that mkfs.erofs of this host does not make: any block
 * size, addresses and nids of 48 bits, directories without an entry for themselves. The first two
 * blocks, or more if blocks are small, hold the superblock and inodes; one directory holds all.
 */
final class SmallErofs {
  static final String TAIL = "a tail behind the inode";
  private static final int SUPERBLOCK = 1024;
  private static final long EPOCH = 1_600_000_000L;

  /** The first inode lies in a block of its own, behind the superblock. */
  private final int shift;

  private final int blockSize;
  private final boolean wide;
  private final ByteBuffer image;
  private final int metadata;
  private final Map<String, Long> names = new TreeMap<>();
  private int nextInode;
  private int nextBlock;
  private int prefixes;

  /**
   * Begins an image.
   *
   * @param shift the block size as a power of two
   * @param wide whether it has the feature of 48 bits
   */
  SmallErofs(int shift, boolean wide) {
    this.shift = shift;
    this.blockSize = 1 << shift;
    this.wide = wide;
    this.metadata = Math.max(1, 2048 >> shift);
    this.nextBlock = metadata + Math.max(1, 4096 >> shift);
    this.image = ByteBuffer.allocate((nextBlock + 24) * blockSize).order(ByteOrder.LITTLE_ENDIAN);
    // The root has the nid 0 and room for its directory.
    nextInode = metadata * blockSize + 64;
  }

  /** Writes the image, with the root directory and a superblock. */
  byte[] build() {
    root();
    image.putInt(SUPERBLOCK, (int) ErofsLayout.MAGIC);
    int plain = prefixes > 0 ? ErofsFeatures.COMPAT_PLAIN_PREFIXES : 0;
    image.putInt(SUPERBLOCK + ErofsLayout.S_FEATURE_COMPAT, ErofsFeatures.COMPAT_CHECKSUM | plain);
    image.put(SUPERBLOCK + ErofsLayout.S_BLKSZBITS, (byte) shift);
    image.putLong(SUPERBLOCK + ErofsLayout.S_INOS, names.size());
    image.putLong(SUPERBLOCK + ErofsLayout.S_EPOCH, EPOCH);
    image.putInt(SUPERBLOCK + ErofsLayout.S_FIXED_NSEC, 7);
    image.putInt(SUPERBLOCK + ErofsLayout.S_BLOCKS, image.capacity() >> shift);
    image.putInt(SUPERBLOCK + ErofsLayout.S_META_BLKADDR, metadata);
    int features = 0x4 | (wide ? ErofsFeatures.INCOMPAT_48BIT : 0) | (prefixes > 0 ? 0x40 : 0);
    image.putInt(SUPERBLOCK + ErofsLayout.S_FEATURE_INCOMPAT, features);
    image.put(SUPERBLOCK + ErofsLayout.S_UUID, (byte) 1);
    ErofsDamageSeed.sum(image.array());
    return image.array();
  }

  /** A directory of one block for each two names, and the nid 0. */
  private void root() {
    int inode = metadata * blockSize;
    if (!wide) {
      names.put(".", 0L);
    }
    names.put("..", 0L);
    List<String> sorted = List.copyOf(names.keySet());
    int first = nextBlock;
    for (int i = 0; i < sorted.size(); i += 2) {
      directoryBlock(sorted.subList(i, Math.min(sorted.size(), i + 2)));
    }
    // A format of 48 bits says of a directory that it has no entry for itself.
    image.putShort(inode, (short) (wide ? ErofsLayout.FORMAT_DOT_OMITTED : 0));
    image.putShort(inode + ErofsLayout.I_MODE, (short) 040755);
    image.putShort(inode + ErofsLayout.I_NB, (short) 2);
    image.putInt(inode + ErofsLayout.I_SIZE, (nextBlock - first) * blockSize);
    image.putInt(inode + ErofsLayout.I_U, first);
  }

  private void directoryBlock(List<String> some) {
    int at = nextBlock++ * blockSize;
    int name = some.size() * ErofsLayout.DIRENT_SIZE;
    for (int i = 0; i < some.size(); i++) {
      int entry = at + i * ErofsLayout.DIRENT_SIZE;
      image.putLong(entry, names.get(some.get(i)));
      image.putShort(entry + ErofsLayout.D_NAMEOFF, (short) name);
      image.put(entry + ErofsLayout.D_FILE_TYPE, (byte) (some.get(i).startsWith(".") ? 2 : 1));
      byte[] bytes = some.get(i).getBytes(StandardCharsets.UTF_8);
      image.put(at + name, bytes);
      name += bytes.length;
    }
  }

  /** Adds a compact inode with one link; returns where it lies. */
  private int inode(String name, int layout, int size, int field) {
    int at = nextInode;
    nextInode += 128;
    names.put(name, (long) (at - metadata * blockSize) >> ErofsLayout.SLOT_SHIFT);
    int one = wide ? ErofsLayout.FORMAT_NLINK_1 : 0;
    image.putShort(at, (short) (layout << ErofsLayout.FORMAT_LAYOUT_SHIFT | one));
    image.putShort(at + ErofsLayout.I_MODE, (short) 0100644);
    image.putShort(at + ErofsLayout.I_NB, (short) (wide ? 0 : 1));
    image.putInt(at + ErofsLayout.I_SIZE, size);
    image.putInt(at + ErofsLayout.COMPACT_MTIME, wide ? 5 : 0);
    image.putInt(at + ErofsLayout.I_U, field);
    return at;
  }

  private int block(byte[] bytes) {
    image.put(nextBlock * blockSize, bytes);
    nextBlock += Math.ceilDiv(bytes.length, blockSize);
    return nextBlock - Math.ceilDiv(bytes.length, blockSize);
  }

  /** Adds a file in whole blocks. */
  SmallErofs plain(String name, byte[] bytes) {
    inode(name, ErofsLayout.FLAT_PLAIN, bytes.length, block(bytes));
    return this;
  }

  /** Adds a file of one block, whose number has a 33rd bit; the caller writes the block there. */
  SmallErofs far(String name, int size) {
    int at = inode(name, ErofsLayout.FLAT_PLAIN, size, 1);
    image.putShort(at + ErofsLayout.I_NB, (short) 1);
    return this;
  }

  /** Adds a file whose last bytes lie behind its inode. */
  SmallErofs tail(String name, byte[] blocks) {
    int at = inode(name, ErofsLayout.FLAT_INLINE, blocks.length + TAIL.length(), block(blocks));
    image.put(at + ErofsLayout.COMPACT_SIZE, TAIL.getBytes(StandardCharsets.UTF_8));
    return this;
  }

  /** Adds a file without a block, for which all bits of the block's number are set. */
  SmallErofs hole(String name, int size) {
    int at = inode(name, ErofsLayout.FLAT_PLAIN, size, -1);
    if (wide) {
      image.putShort(at + ErofsLayout.I_NB, (short) -1);
    }
    return this;
  }

  /**
   * An extended attribute.
   *
   * @param prefix the number of the beginning of its name
   * @param rest the rest of its name
   * @param value its value
   */
  record Attribute(int prefix, String rest, byte[] value) {
    /** {@return the attribute as it lies in an image, with padding} */
    private byte[] bytes() {
      byte[] name = rest.getBytes(StandardCharsets.UTF_8);
      int length = ErofsLayout.E_NAME + name.length + value.length;
      return ByteBuffer.allocate(length + 3 & -4)
          .order(ByteOrder.LITTLE_ENDIAN)
          .put((byte) name.length)
          .put((byte) prefix)
          .putShort((short) value.length)
          .put(name)
          .put(value)
          .array();
    }
  }

  /** Sets the image's own prefixes of names; each is the number of a short one and what follows. */
  SmallErofs prefixes(String... own) {
    ByteBuffer table = ByteBuffer.allocate(blockSize).order(ByteOrder.LITTLE_ENDIAN);
    for (String each : own) {
      byte[] bytes = each.getBytes(StandardCharsets.UTF_8);
      table.position(table.position() + 3 & -4).putShort((short) bytes.length).put(bytes);
    }
    prefixes = own.length;
    image.put(SUPERBLOCK + ErofsLayout.S_XATTR_PREFIX_COUNT, (byte) prefixes);
    int start = block(table.array()) * blockSize >> 2;
    image.putInt(SUPERBLOCK + ErofsLayout.S_XATTR_PREFIX_START, start);
    return this;
  }

  /**
   * Adds an empty file with attributes behind its inode, and shared ones; one file can have any.
   */
  SmallErofs attributes(String name, List<Attribute> own, List<Attribute> shared) {
    ByteBuffer common = ByteBuffer.allocate(blockSize);
    int at = inode(name, ErofsLayout.FLAT_PLAIN, 0, -1);
    int header = at + ErofsLayout.COMPACT_SIZE;
    int next = header + ErofsLayout.ATTRIBUTES_HEADER_SIZE;
    image.put(header + ErofsLayout.H_SHARED_COUNT, (byte) shared.size());
    for (Attribute each : shared) {
      image.putInt(next, common.position() / ErofsLayout.ATTRIBUTE_ALIGNMENT);
      common.put(each.bytes());
      next += ErofsLayout.SHARED_ID_SIZE;
    }
    for (Attribute each : own) {
      image.put(next, each.bytes());
      next += each.bytes().length;
    }
    int count = (next - header - ErofsLayout.ATTRIBUTES_HEADER_SIZE) / 4 + 1;
    image.putShort(at + ErofsLayout.I_XATTR_ICOUNT, (short) count);
    image.putInt(SUPERBLOCK + ErofsLayout.S_XATTR_BLKADDR, block(common.array()));
    nextInode = next + 31 & -32;
    return this;
  }

  /** Adds a file of three chunks of a block: the same block twice, with a hole between. */
  SmallErofs chunks(String name, byte[] bytes) {
    int block = block(bytes);
    int format = ErofsLayout.CHUNK_INDEXES | (wide ? ErofsLayout.CHUNK_48BIT : 0);
    int at = inode(name, ErofsLayout.CHUNK_BASED, 3 * blockSize, format);
    for (int i = 0; i < 3; i++) {
      int index = at + ErofsLayout.COMPACT_SIZE + i * ErofsLayout.CHUNK_INDEX_SIZE;
      image.putInt(index + ErofsLayout.C_STARTBLK_LO, i == 1 ? -1 : block);
      image.putShort(index + ErofsLayout.C_STARTBLK_HI, (short) (i == 1 && wide ? -1 : 0));
    }
    return this;
  }
}
