package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import dev.xip.image.BlockMap;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.image.Verdict;

/**
 * Where the bytes of an inode lie that holds them itself: first in i_block, then in the value of
 * its attribute system.data. The entries of such a directory begin behind the number of its parent.
 * Linux counterpart: fs/ext4/inline.c.
 *
 * @param inode the inode
 * @param value the byte offset of the attribute's value in the image
 * @param valueSize its length in bytes
 */
record InlineData(Inode inode, long value, int valueSize) {
  /** How many bytes of i_block a directory's parent takes (EXT4_INLINE_DOTDOT_SIZE). */
  private static final int PARENT_SIZE = Integer.BYTES;

  /**
   * Finds the bytes of an inode.
   *
   * @param view the image
   * @param superblock its superblock
   * @param inodes its inodes
   * @param inode an inode whose flags say that it holds its bytes
   * @return where they are
   * @throws MalformedDataException if the inode has no room for as many as its size says
   */
  static InlineData of(ByteView view, Superblock superblock, InodeTable inodes, Inode inode)
      throws MalformedDataException {
    InlineData found = AttributeReader.inlineData(view, superblock, inodes, inode);
    boolean mayEndInHole = found.valueSize == 0 && inode.type() == FileType.REGULAR;
    if (!mayEndInHole && inode.size() > ExtLayout.I_BLOCK_SIZE + found.valueSize) {
      throw view.malformed(
          inode.offset() + ExtLayout.I_SIZE,
          "at most %d bytes inside inode %d"
              .formatted(ExtLayout.I_BLOCK_SIZE + found.valueSize, inode.number()),
          Long.toString(inode.size()));
    }
    return found;
  }

  /**
   * Maps the bytes. A file with nothing in the attribute may be longer and ends in a hole: mke2fs
   * -d writes files so that are one hole, and the kernel reads zeros (ext4_read_inline_folio).
   *
   * @param verdict the verdict that the map gets
   * @return one extent or two, which are no whole blocks
   */
  BlockMap map(Verdict verdict) {
    BlockMap.Builder map = new BlockMap.Builder();
    long size = inode.size();
    if (size > 0) {
      map.add(0, first(), Math.min(size, ExtLayout.I_BLOCK_SIZE));
    }
    long second = Math.min(size - ExtLayout.I_BLOCK_SIZE, valueSize);
    if (second > 0) {
      map.add(ExtLayout.I_BLOCK_SIZE, value, second);
    }
    return map.build(verdict);
  }

  private long first() {
    return inode.offset() + ExtLayout.I_BLOCK;
  }

  /**
   * Returns the parent of a directory, which has no entry {@code ..}.
   *
   * @param view the image
   * @return the number of its inode
   * @throws MalformedDataException if the image ends before
   */
  long parent(ByteView view) throws MalformedDataException {
    return view.u32(first());
  }

  /** {@return in how many pieces a directory's entries lie} */
  int pieces() {
    return valueSize == 0 ? 1 : 2;
  }

  /** {@return the byte offset of a piece of a directory, 0 or 1} */
  long piece(int index) {
    return index == 0 ? first() + PARENT_SIZE : value;
  }

  /** {@return the length of a piece of a directory in bytes} */
  int length(int index) {
    return index == 0 ? ExtLayout.I_BLOCK_SIZE - PARENT_SIZE : valueSize;
  }
}
