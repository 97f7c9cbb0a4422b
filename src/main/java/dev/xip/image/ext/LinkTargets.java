package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.FileName;
import dev.xip.base.MalformedDataException;
import dev.xip.image.BlockMap;
import dev.xip.image.Inode;
import dev.xip.image.Verdict;

/**
 * Reads the targets of symbolic links: fast ones from i_block, slow ones from their block, and
 * those that are inline data. Linux counterpart: fs/ext4/symlink.c.
 *
 * @param view the image
 * @param superblock its superblock
 * @param inodes its inodes
 */
record LinkTargets(ByteView view, Superblock superblock, InodeTable inodes) {
  /**
   * Reads a target. That of an encrypted link is shown as the kernel shows it without the key.
   *
   * @param link a symbolic link's inode
   * @return the target
   * @throws MalformedDataException if the link is damaged
   */
  FileName read(Inode link) throws MalformedDataException {
    boolean inline = (link.flags() & ExtLayout.INLINE_DATA_FL) != 0;
    boolean fast = !inline && inodes.isFastLink(link);
    // With a closing NUL.
    long longest = (fast ? ExtLayout.I_BLOCK_SIZE : superblock.blockSize()) - 1;
    if (link.size() < 1 || link.size() > longest) {
      throw view.malformed(
          link.offset() + ExtLayout.I_SIZE,
          "a %s link of 1..%d bytes".formatted(fast ? "fast" : "slow", longest),
          "one of %d".formatted(link.size()));
    }
    BlockMap map = map(link, inline, fast);
    byte[] stored = InodeBytes.read(view, link, map);
    if ((link.flags() & ExtLayout.ENCRYPT_FL) != 0) {
      return encrypted(map.imageOffset(0), stored);
    }
    for (int i = 0; i < stored.length; i++) {
      if (stored[i] == 0) {
        throw view.malformed(
            map.imageOffset(i), "a target of %d bytes".formatted(stored.length), "its end");
      }
    }
    return FileName.of(stored);
  }

  private BlockMap map(Inode link, boolean inline, boolean fast) throws MalformedDataException {
    if (inline) {
      return InlineData.of(view, superblock, inodes, link).map(Verdict.NOT_REGULAR);
    }
    if (!fast) {
      return BlockTree.read(view, superblock, link, Verdict.NOT_REGULAR);
    }
    BlockMap.Builder map = new BlockMap.Builder();
    map.add(0, link.offset() + ExtLayout.I_BLOCK, link.size());
    return map.build(Verdict.NOT_REGULAR);
  }

  /** The encrypted target follows its length (struct fscrypt_symlink_data). */
  private FileName encrypted(long at, byte[] stored) throws MalformedDataException {
    int length = stored.length < Short.BYTES ? 0 : stored[0] & 0xff | (stored[1] & 0xff) << 8;
    if (length == 0 || length > stored.length - Short.BYTES) {
      throw view.malformed(
          at,
          "an encrypted target of 1..%d bytes".formatted(stored.length - Short.BYTES),
          "one of " + length);
    }
    byte[] target = new byte[length];
    System.arraycopy(stored, Short.BYTES, target, 0, length);
    return HiddenNames.shown(view, at, target, 0);
  }
}
