package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import dev.xip.image.BlockMap;
import dev.xip.image.Extent;
import dev.xip.image.Inode;

/** Copies all bytes of a small inode: the target of a link, the value of an attribute. */
final class InodeBytes {
  private InodeBytes() {}

  /**
   * Copies the bytes.
   *
   * @param view the image
   * @param inode the inode, whose size the caller has checked
   * @param map where its bytes lie
   * @return a new array of them all
   * @throws MalformedDataException if there is a hole
   */
  static byte[] read(ByteView view, Inode inode, BlockMap map) throws MalformedDataException {
    byte[] all = new byte[(int) inode.size()];
    for (int done = 0, i = 0; done < all.length; i++) {
      Extent extent = i < map.extentCount() ? map.extent(i) : null;
      if (extent == null || extent.fileOffset() != done) {
        throw view.malformed(
            inode.offset() + ExtLayout.I_BLOCK,
            "a block for byte 0x%x of inode %d".formatted(done, inode.number()),
            "a hole");
      }
      int run = (int) Math.min(extent.length(), all.length - done);
      System.arraycopy(view.bytes(extent.imageOffset(), run), 0, all, done, run);
      done += run;
    }
    return all;
  }
}
