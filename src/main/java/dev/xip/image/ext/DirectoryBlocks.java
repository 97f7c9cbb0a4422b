package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.FileName;
import dev.xip.base.MalformedDataException;
import dev.xip.image.BlockMap;
import dev.xip.image.DirEntryVisitor;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/**
 * The entries of one directory, read from its first block to its last. The index blocks of a hashed
 * directory look like entries that are not in use, and are skipped as such. Linux counterpart:
 * fs/ext2/dir.c:ext2_check_folio.
 */
final class DirectoryBlocks {
  /** Types by the value of file_type (include/linux/fs_types.h, FT_UNKNOWN..FT_SYMLINK). */
  private static final FileType[] TYPES = {
    FileType.UNKNOWN,
    FileType.REGULAR,
    FileType.DIRECTORY,
    FileType.CHARACTER_DEVICE,
    FileType.BLOCK_DEVICE,
    FileType.FIFO,
    FileType.SOCKET,
    FileType.SYMLINK
  };

  private final ByteView view;
  private final Superblock superblock;
  private final Inode directory;
  private final BlockMap map;

  /**
   * Whether a name was looked up before. Not volatile: two threads may both find false and scan.
   */
  private boolean asked;

  /** Null until the second look-up. */
  private volatile NameIndex index;

  /** Receives the byte offset in the image of an entry that is in use and was checked. */
  @FunctionalInterface
  private interface Scan {
    boolean entry(long at) throws IOException;
  }

  DirectoryBlocks(ByteView view, Superblock superblock, Inode directory, BlockMap map) {
    this.view = view;
    this.superblock = superblock;
    this.directory = directory;
    this.map = map;
  }

  /**
   * Passes every entry to a visitor.
   *
   * @param visitor receives them, and may stop
   * @throws IOException if an entry is damaged or has the name of one before it, or what the
   *     visitor threw
   */
  void list(DirEntryVisitor visitor) throws IOException {
    Map<FileName, Long> seen = new HashMap<>();
    scan(
        at -> {
          byte[] bytes = view.bytes(at + ExtLayout.D_NAME, view.u8(at + ExtLayout.D_NAME_LEN));
          checkName(at, bytes);
          FileName name = FileName.of(bytes);
          Long before = seen.putIfAbsent(name, at);
          if (before != null) {
            throw twice(name, before, at);
          }
          return visitor.entry(name, view.u32(at + ExtLayout.D_INODE), type(at));
        });
  }

  private MalformedDataException twice(FileName name, long before, long at)
      throws MalformedDataException {
    return view.malformed(
        at,
        "each name once in directory inode %d".formatted(directory.number()),
        "%s for inode %d, as at byte 0x%x for inode %d"
            .formatted(
                name,
                view.u32(at + ExtLayout.D_INODE),
                before,
                view.u32(before + ExtLayout.D_INODE)));
  }

  /** Tells whether this is the directory of an inode. */
  boolean isOf(Inode inode) {
    return inode.number() == directory.number()
        && inode.offset() == directory.offset()
        && inode.size() == directory.size();
  }

  /**
   * Finds a name: the first time by a scan of the entries, from the second time on in an index.
   *
   * @param name the name
   * @return the number of the inode that it names, or -1
   * @throws IOException if an entry before it is damaged
   */
  long find(FileName name) throws IOException {
    NameIndex known = index;
    if (known == null) {
      if (!asked) {
        asked = true;
        return search(name);
      }
      known = buildIndex();
      index = known;
    }
    return known.isUsable() ? known.find(name) : search(name);
  }

  private long search(FileName name) throws IOException {
    long[] found = {-1};
    scan(
        at -> {
          if (!names(at, name)) {
            return true;
          }
          found[0] = view.u32(at + ExtLayout.D_INODE);
          return false;
        });
    return found[0];
  }

  /** A damaged directory gets no index: each search is a scan up to the damage. */
  private NameIndex buildIndex() throws IOException {
    NameIndex.Builder builder = new NameIndex.Builder();
    try {
      scan(
          at -> {
            builder.add(hash(at), at);
            return true;
          });
    } catch (MalformedDataException damage) {
      return NameIndex.UNUSABLE;
    }
    return builder.build(this);
  }

  private int hash(long at) throws MalformedDataException {
    int length = view.u8(at + ExtLayout.D_NAME_LEN);
    long hash = 0;
    for (int i = 0; i < length; i++) {
      hash = NameIndex.hashed(hash, view.u8(at + ExtLayout.D_NAME + i));
    }
    return NameIndex.folded(hash);
  }

  /** The inode number of an entry if it has a name, else -1. */
  long inodeIf(long at, FileName name) throws MalformedDataException {
    return names(at, name) ? view.u32(at + ExtLayout.D_INODE) : -1;
  }

  /** Compares byte by byte: the JVM's own comparison of memory does not survive a truncation. */
  private boolean names(long at, FileName name) throws MalformedDataException {
    int length = name.length();
    if (view.u8(at + ExtLayout.D_NAME_LEN) != length) {
      return false;
    }
    for (int i = 0; i < length; i++) {
      if ((byte) view.u8(at + ExtLayout.D_NAME + i) != name.at(i)) {
        return false;
      }
    }
    return true;
  }

  private void scan(Scan scan) throws IOException {
    for (long done = 0; done < directory.size(); done += superblock.blockSize()) {
      long block = map.imageOffset(done);
      if (block < 0) {
        throw view.malformed(
            directory.offset() + ExtLayout.I_BLOCK,
            "a block for byte 0x%x of directory inode %d".formatted(done, directory.number()),
            "a hole");
      }
      long end = block + superblock.blockSize();
      for (long at = block; at < end; at += length(at)) {
        checkEntry(at, end);
        if (view.u32(at + ExtLayout.D_INODE) != 0 && !scan.entry(at)) {
          return;
        }
      }
    }
  }

  /**
   * Returns the length of an entry. In blocks of 64 KiB, whose length has no place in 16 bits, the
   * two low bits come first, and 0 and 65535 stand for a block. Linux counterpart:
   * fs/ext4/ext4.h:ext4_rec_len_from_disk.
   */
  private int length(long at) throws MalformedDataException {
    int length = view.u16(at + ExtLayout.D_REC_LEN);
    if (superblock.blockShift() < Short.SIZE) {
      return length;
    }
    return length == 0 || length == 0xffff ? 1 << Short.SIZE : length & ~3 | (length & 3) << 16;
  }

  private void checkEntry(long at, long end) throws MalformedDataException {
    // The header read for the check must not pass the end of the block either.
    long room = end - at;
    int length = room < ExtLayout.D_NAME ? 0 : length(at);
    int smallest = ExtLayout.D_NAME + ExtLayout.D_ALIGNMENT;
    if (length < smallest || length % ExtLayout.D_ALIGNMENT != 0 || length > room) {
      throw view.malformed(
          at + ExtLayout.D_REC_LEN,
          "a directory entry of %d..%d bytes, a multiple of 4".formatted(smallest, room),
          "one of %d".formatted(length));
    }
    long inode = view.u32(at + ExtLayout.D_INODE);
    if (inode == 0) {
      return;
    }
    if (inode > superblock.inodes()) {
      throw view.malformed(
          at + ExtLayout.D_INODE,
          "an inode number of at most %d".formatted(superblock.inodes()),
          Long.toString(inode));
    }
    int nameLength = view.u8(at + ExtLayout.D_NAME_LEN);
    if (nameLength == 0 || nameLength > length - ExtLayout.D_NAME) {
      throw view.malformed(
          at + ExtLayout.D_NAME_LEN,
          "a name of 1..%d bytes".formatted(length - ExtLayout.D_NAME),
          "one of %d".formatted(nameLength));
    }
  }

  /** A file made under a name with a slash would land outside its folder. */
  private void checkName(long at, byte[] name) throws MalformedDataException {
    for (int i = 0; i < name.length; i++) {
      if (name[i] == '/' || name[i] == 0) {
        throw view.malformed(
            at + ExtLayout.D_NAME + i, "a name without slash or NUL", "0x%02x".formatted(name[i]));
      }
    }
  }

  private FileType type(long at) throws MalformedDataException {
    int type = superblock.fileTypes() ? view.u8(at + ExtLayout.D_FILE_TYPE) : 0;
    return type < TYPES.length ? TYPES[type] : FileType.UNKNOWN;
  }
}
