package dev.xip.pack.ext;

import dev.xip.base.FileName;
import dev.xip.image.ext.AttributeLayout;
import dev.xip.image.ext.AttributePrefix;
import dev.xip.image.ext.ExtLayout;
import dev.xip.image.ext.PosixAcl;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/**
 * The extended attributes of a new file: which of them lie in its inode, which in a block, and
 * which fit nowhere. Linux counterpart: fs/ext4/xattr.c.
 */
final class NewAttributes {
  /** How many bytes of an inode of 256 are for fields past the first 128. */
  static final int EXTRA_SIZE = 32;

  /** The size of the inodes that are written. */
  static final int INODE_SIZE = 256;

  private static final int UNIT = AttributeLayout.ALIGNMENT;

  /** Room for entries and values in units of 4 bytes, header and end mark taken away. */
  private static final int INODE_UNITS =
      (INODE_SIZE - ExtLayout.OLD_INODE_SIZE - EXTRA_SIZE - AttributeLayout.INODE_HEADER_SIZE)
              / UNIT
          - 1;

  private static final int BLOCK_UNITS =
      (NewBlock.SIZE - AttributeLayout.BLOCK_HEADER_SIZE) / UNIT - 1;

  private static final int LONGEST_NAME = 255;

  private static final NewAttributes NONE = new NewAttributes();

  /** The order of the entries of a block, by which they are searched. */
  private static final Comparator<Attribute> ORDER =
      Comparator.<Attribute>comparingInt(each -> each.prefix.number())
          .thenComparingInt(each -> each.rest.length)
          .thenComparing(each -> each.rest, Arrays::compareUnsigned);

  private record Attribute(AttributePrefix prefix, byte[] rest, byte[] value) {
    int units() {
      return Math.ceilDiv(AttributeLayout.E_NAME + rest.length, UNIT)
          + Math.ceilDiv(value.length, UNIT);
    }
  }

  private final List<Attribute> inInode = new ArrayList<>(0);
  private final List<Attribute> inBlock = new ArrayList<>(0);
  private final List<FileName> leftOut = new ArrayList<>(0);

  private NewAttributes() {}

  static NewAttributes of(SortedMap<FileName, byte[]> values) {
    if (values.isEmpty()) {
      return NONE;
    }
    NewAttributes all = new NewAttributes();
    for (Map.Entry<FileName, byte[]> each : values.entrySet()) {
      Attribute attribute = attribute(each.getKey().bytes(), each.getValue());
      if (attribute == null || attribute.units() > BLOCK_UNITS) {
        all.leftOut.add(each.getKey());
      } else {
        all.inBlock.add(attribute);
      }
    }
    all.split();
    return all;
  }

  /** Returns null for an attribute that an image cannot hold. */
  private static Attribute attribute(byte[] name, byte[] value) {
    for (byte each : name) {
      if (each == 0) {
        return null;
      }
    }
    for (AttributePrefix prefix : AttributePrefix.values()) {
      int start = prefix.bytes().length;
      boolean fits =
          prefix.isWhole()
              ? name.length == start
              : name.length > start && name.length <= start + LONGEST_NAME;
      if (fits && prefix.isListed() && Arrays.equals(name, 0, start, prefix.bytes(), 0, start)) {
        try {
          byte[] stored = prefix.isAcl() ? PosixAcl.toDisk(value) : value;
          return new Attribute(prefix, Arrays.copyOfRange(name, start, name.length), stored);
        } catch (IllegalArgumentException noAcl) {
          return null;
        }
      }
    }
    return null;
  }

  /**
   * Moves the attributes that fill the inode best there, and drops the largest until the rest fits
   * into the block.
   */
  private void split() {
    inBlock.sort(Comparator.comparingInt(Attribute::units).thenComparing(ORDER));
    // The best choice for each number of units is made from the choices without one attribute.
    BitSet[] choices = new BitSet[INODE_UNITS + 1];
    choices[0] = new BitSet();
    for (int i = 0; i < inBlock.size(); i++) {
      int units = inBlock.get(i).units();
      for (int sum = INODE_UNITS; sum >= units; sum--) {
        if (choices[sum] == null && choices[sum - units] != null) {
          choices[sum] = (BitSet) choices[sum - units].clone();
          choices[sum].set(i);
        }
      }
    }
    int best = INODE_UNITS;
    while (choices[best] == null) {
      best--;
    }
    for (int i = choices[best].length(); (i = choices[best].previousSetBit(i - 1)) >= 0; ) {
      inInode.add(inBlock.remove(i));
    }
    while (inBlock.stream().mapToInt(Attribute::units).sum() > BLOCK_UNITS) {
      Attribute largest = inBlock.removeLast();
      byte[] name = largest.prefix.bytes();
      byte[] whole = Arrays.copyOf(name, name.length + largest.rest.length);
      System.arraycopy(largest.rest, 0, whole, name.length, largest.rest.length);
      leftOut.add(FileName.of(whole));
    }
    inInode.sort(ORDER);
    inBlock.sort(ORDER);
  }

  /** {@return the names of those that fit nowhere} */
  List<FileName> leftOut() {
    return leftOut;
  }

  /** {@return whether some lie in a block of their own} */
  boolean needBlock() {
    return !inBlock.isEmpty();
  }

  /**
   * Writes the attributes that lie in the inode, behind its fields.
   *
   * @param inode the bytes of inodes, little-endian
   * @param at where this one begins
   */
  void putInInode(ByteBuffer inode, int at) {
    if (!inInode.isEmpty()) {
      int header = at + ExtLayout.OLD_INODE_SIZE + EXTRA_SIZE;
      inode.putInt(header + AttributeLayout.H_MAGIC, (int) AttributeLayout.MAGIC);
      int first = header + AttributeLayout.INODE_HEADER_SIZE;
      put(inInode, inode, first, first, at + INODE_SIZE);
    }
  }

  /**
   * Writes the block.
   *
   * @param block a block of zeros, little-endian
   */
  void putInBlock(ByteBuffer block) {
    block.putInt(AttributeLayout.H_MAGIC, (int) AttributeLayout.MAGIC);
    block.putInt(AttributeLayout.H_REFCOUNT, 1);
    block.putInt(AttributeLayout.H_BLOCKS, 1);
    int hash = put(inBlock, block, AttributeLayout.BLOCK_HEADER_SIZE, 0, NewBlock.SIZE);
    block.putInt(AttributeLayout.H_HASH, hash);
  }

  /** Writes names from the first entry on and values from the end backwards. */
  private static int put(List<Attribute> list, ByteBuffer to, int first, int base, int end) {
    int at = first;
    int value = end;
    int all = 0;
    for (Attribute each : list) {
      to.put(at + AttributeLayout.E_NAME_LEN, (byte) each.rest.length);
      to.put(at + AttributeLayout.E_NAME_INDEX, (byte) each.prefix.number());
      to.put(at + AttributeLayout.E_NAME, each.rest);
      int hash = 0;
      for (byte b : each.rest) {
        hash = Integer.rotateLeft(hash, 5) ^ b & 0xff;
      }
      if (each.value.length > 0) {
        value -= Math.ceilDiv(each.value.length, UNIT) * UNIT;
        to.put(value, each.value);
        to.putShort(at + AttributeLayout.E_VALUE_OFFS, (short) (value - base));
        to.putInt(at + AttributeLayout.E_VALUE_SIZE, each.value.length);
        for (int i = 0; i < each.value.length; i += UNIT) {
          hash = Integer.rotateLeft(hash, 16) ^ to.getInt(value + i);
        }
      }
      to.putInt(at + AttributeLayout.E_HASH, hash);
      all = Integer.rotateLeft(all, 16) ^ hash;
      at += Math.ceilDiv(AttributeLayout.E_NAME + each.rest.length, UNIT) * UNIT;
    }
    return all;
  }
}
