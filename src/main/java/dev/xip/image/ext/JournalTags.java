package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;

/** The tags of one descriptor block: which blocks are logged behind it, in this order. */
final class JournalTags {
  private final ByteView view;
  private final JournalLog log;
  private final boolean wide;

  /** Size of a tag in bytes. Linux counterpart: include/linux/jbd2.h:journal_tag_bytes. */
  private final int tagBytes;

  /** The offset in a descriptor block behind the last tag that fits. */
  private final int room;

  /** The byte offsets of the tags in the image. */
  private final long[] offsets;

  private int count;

  JournalTags(ByteView view, JournalLog log, int blockSize) {
    this.view = view;
    this.log = log;
    this.wide = log.has(JournalLayout.INCOMPAT_64BIT);
    int narrow =
        JournalLayout.TAG_SIZE + (log.has(JournalLayout.INCOMPAT_CSUM_V2) ? Short.BYTES : 0);
    this.tagBytes =
        log.has(JournalLayout.INCOMPAT_CSUM_V3)
            ? JournalLayout.TAG3_SIZE
            : narrow + (wide ? Integer.BYTES : 0);
    this.room = blockSize - log.checksums().tailSize();
    this.offsets = new long[room / tagBytes];
  }

  /**
   * Reads the tags of a descriptor block. Linux counterpart: fs/jbd2/recovery.c:count_tags.
   *
   * @param descriptor its byte offset
   * @return this
   */
  JournalTags read(long descriptor) throws MalformedDataException {
    count = 0;
    int at = JournalLayout.HEADER_SIZE;
    int flags = 0;
    while (at + tagBytes <= room && (flags & JournalLayout.FLAG_LAST_TAG) == 0) {
      offsets[count] = descriptor + at;
      flags = flags(count++);
      at += tagBytes;
      at += (flags & JournalLayout.FLAG_SAME_UUID) == 0 ? JournalLayout.UUID_SIZE : 0;
    }
    return this;
  }

  /** {@return how many there are} */
  int count() {
    return count;
  }

  /** {@return the byte offset of a tag in the image} */
  long offset(int index) {
    return offsets[index];
  }

  /** {@return the number of the block of the image that a tag says was logged} */
  long block(int index) throws MalformedDataException {
    long low = log.u32At(offsets[index] + JournalLayout.T_BLOCKNR);
    return wide ? log.u32At(offsets[index] + JournalLayout.T_BLOCKNR_HIGH) << 32 | low : low;
  }

  /** {@return whether the logged block has zeros in place of the magic number} */
  boolean escaped(int index) throws MalformedDataException {
    return (flags(index) & JournalLayout.FLAG_ESCAPE) != 0;
  }

  private int flags(int index) throws MalformedDataException {
    return Short.reverseBytes((short) view.u16(offsets[index] + JournalLayout.T_FLAGS)) & 0xffff;
  }
}
