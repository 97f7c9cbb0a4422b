package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.FileName;
import dev.xip.base.MalformedDataException;
import dev.xip.image.BlockMap;
import dev.xip.image.DirEntryVisitor;
import dev.xip.image.DirectoryEntries;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.image.NameIndex;
import dev.xip.image.Verdict;
import java.io.IOException;

/**
 * The entries of one directory. A name is searched for in one leaf if the directory is hashed, else
 * in all blocks. Linux counterpart: fs/ext4/namei.c:ext4_find_entry and fs/ext4/dir.c.
 */
final class DirectoryBlocks extends DirectoryEntries {
  private static final FileName DOT = FileName.of(".");
  private static final FileName DOT_DOT = FileName.of("..");

  /** Stands for a leaf whose names are not checked against the index. */
  private static final int NO_RANK = -1;

  private final ByteView view;
  private final Superblock superblock;
  private final InlineData inline;
  private final DirectoryParts parts;
  private final NameForm form;

  /** Null until the first use of a hashed directory, and in all others. */
  private volatile HashTree tree;

  /** Whether it was listed whole: each name is there once, and in its leaf. */
  private volatile boolean sound;

  private DirectoryBlocks(
      ByteView view, Superblock superblock, Inode directory, InlineData inline, BlockMap map)
      throws MalformedDataException {
    super(directory);
    this.view = view;
    this.superblock = superblock;
    this.inline = inline;
    this.parts = new DirectoryParts(view, superblock, directory, map, inline);
    this.form = NameForm.of(view, superblock, directory, parts);
  }

  /**
   * Opens a directory.
   *
   * @param view the image
   * @param superblock its superblock
   * @param inodes its inodes
   * @param directory the directory's inode
   * @return its entries
   * @throws MalformedDataException if the map of its blocks is damaged or has a hole
   */
  static DirectoryBlocks open(
      ByteView view, Superblock superblock, InodeTable inodes, Inode directory)
      throws MalformedDataException {
    if ((directory.flags() & ExtLayout.INLINE_DATA_FL) != 0) {
      InlineData inline = InlineData.of(view, superblock, inodes, directory);
      return new DirectoryBlocks(view, superblock, directory, inline, null);
    }
    BlockMap map = BlockTree.read(view, superblock, directory, Verdict.NOT_REGULAR);
    return new DirectoryBlocks(view, superblock, directory, null, map);
  }

  /**
   * Passes every entry to a visitor. In a directory of very many names, twins are looked for among
   * as many as an index may hold.
   *
   * @param visitor receives them, and may stop
   * @throws IOException if an entry is damaged, has the name of one before it or lies in the wrong
   *     leaf, or what the visitor threw
   */
  @Override
  public void list(DirEntryVisitor visitor) throws IOException {
    if (inline != null
        && (!visitor.entry(DOT, directory.number(), FileType.DIRECTORY)
            || !visitor.entry(DOT_DOT, parent(), FileType.DIRECTORY))) {
      return;
    }
    NameIndex seen = sound ? null : new NameIndex(this, false);
    boolean whole =
        scan(
            at -> {
              FileName name = form.shown(view, at);
              checkName(at, name);
              if (seen != null) {
                checkOnce(seen, name, at);
              }
              return visitor.entry(name, view.u32(at + ExtLayout.D_INODE), type(at));
            });
    if (whole) {
      sound = true;
    }
  }

  private void checkOnce(NameIndex seen, FileName name, long at) throws IOException {
    long before = inline != null && isDots(form.key(name)) ? inline.piece(0) : seen.add(at);
    if (before < 0) {
      return;
    }
    throw view.malformed(
        at,
        "each name once in directory inode %d".formatted(directory.number()),
        "%s for inode %d, as at byte 0x%x for inode %d"
            .formatted(
                name,
                view.u32(at + ExtLayout.D_INODE),
                before,
                view.u32(before + ExtLayout.D_INODE)));
  }

  /** The inode that {@code ..} names in a directory without such an entry. */
  private long parent() throws MalformedDataException {
    long parent = inline.parent(view);
    checkInode(directory.offset() + ExtLayout.I_BLOCK, parent, 1);
    return parent;
  }

  /**
   * Finds a name.
   *
   * @param name the name
   * @return the number of the inode that it names, or -1
   * @throws IOException if an entry or an index block that is read for it is damaged
   */
  @Override
  public long find(FileName name) throws IOException {
    if (inline != null && isDots(name)) {
      return name.length() == 1 ? directory.number() : parent();
    }
    return findKey(form.key(name));
  }

  private static boolean isDots(FileName name) {
    return name.length() <= 2 && (name.equals(DOT) || name.equals(DOT_DOT));
  }

  @Override
  protected long search(FileName key) throws IOException {
    HashTree hashed = tree();
    if (hashed == null || !form.isHashed() || isDots(key)) {
      return searchAll(hashed, key);
    }
    int hash = hashed.hash(key);
    int first = hashed.rankOf(hash);
    int rank = first;
    do {
      long found = searchPart(hashed.block(rank), key);
      if (found >= 0) {
        return found;
      }
      rank++;
    } while (hashed.admits(rank, hash));
    if (!form.isExact()) {
      return searchAll(hashed, key);
    }
    if (sound) {
      return -1;
    }
    // A damaged bound between two leaves may hide a name from the look-up, but not from this.
    for (int near = Math.max(0, first - 1); near < Math.min(rank + 1, hashed.leaves()); near++) {
      scanPart(hashed.block(near), near, at -> true);
    }
    return -1;
  }

  private long searchAll(HashTree hashed, FileName key) throws IOException {
    for (int part = 0; part < parts.count(); part++) {
      long found = hashed == null || hashed.holdsEntries(part) ? searchPart(part, key) : -1;
      if (found >= 0) {
        return found;
      }
    }
    return -1;
  }

  private long searchPart(int part, FileName key) throws IOException {
    addSearched(parts.length(part));
    long start = parts.entries(part);
    long end = start + parts.length(part);
    for (long at = start; at < end; at += parts.entryLength(at)) {
      if (isUsed(at, end) && isNamed(at, key)) {
        return inode(at);
      }
    }
    return -1;
  }

  /** Returns the index of a hashed directory, null for any other. */
  private HashTree tree() throws IOException {
    HashTree known = tree;
    if (known == null && parts.isHashed()) {
      boolean large = superblock.features().hasIncompat(ExtFeatures.INCOMPAT_LARGE_DIR);
      int levels = large ? HashTreeLayout.LARGE_LEVELS : HashTreeLayout.LEVELS;
      known = HashTree.read(view, parts, levels, form.hashInEntry());
      tree = known;
    }
    return known;
  }

  /** Entries are numbered by their byte offsets in the image. */
  @Override
  public int hash(long at) throws MalformedDataException {
    return form == NameForm.PLAIN
        ? NameIndex.hash(view, at + ExtLayout.D_NAME, view.u8(at + ExtLayout.D_NAME_LEN))
        : NameIndex.hash(form.key(form.shown(view, at)));
  }

  @Override
  public long inode(long at) throws MalformedDataException {
    return view.u32(at + ExtLayout.D_INODE);
  }

  @Override
  public boolean haveOneName(long one, long other) throws MalformedDataException {
    return isNamed(one, form.key(form.shown(view, other)));
  }

  @Override
  public boolean isNamed(long at, FileName key) throws MalformedDataException {
    return form == NameForm.PLAIN
        ? view.u8(at + ExtLayout.D_NAME_LEN) == key.length()
            && view.holds(at + ExtLayout.D_NAME, key)
        : form.key(form.shown(view, at)).equals(key);
  }

  /**
   * Reads all entries, those of a hashed directory with a check that look-ups find them, once.
   *
   * @return whether the scan went on to the end
   */
  @Override
  protected boolean scan(Scan scan) throws IOException {
    HashTree hashed = tree();
    for (int part = 0; part < parts.count(); part++) {
      if (hashed != null && !hashed.holdsEntries(part)) {
        continue;
      }
      int rank = hashed != null && form.isExact() && !sound ? hashed.rank(part) : NO_RANK;
      if (scanPart(part, rank, scan) >= 0) {
        return false;
      }
    }
    return true;
  }

  /**
   * Reads the entries of one part.
   *
   * @param part its number
   * @param rank its place in the order of hashes, or {@link #NO_RANK}
   * @param scan receives each entry in use
   * @return where the entry lies at which it stopped, -1 if it did not
   */
  private long scanPart(int part, int rank, Scan scan) throws IOException {
    long start = parts.entries(part);
    long end = start + parts.length(part);
    for (long at = start; at < end; at += parts.entryLength(at)) {
      if (!isUsed(at, end)) {
        continue;
      }
      if (rank != NO_RANK) {
        checkHash(at, rank);
      }
      if (!scan.entry(at)) {
        return at;
      }
    }
    return -1;
  }

  private void checkHash(long at, int rank) throws MalformedDataException {
    FileName name = NameForm.stored(view, at);
    int hash =
        form.hashInEntry()
            ? (int) (NameForm.storedHash(view, at) >>> Integer.SIZE)
            : tree.hash(name);
    if (!tree.admits(rank, hash)) {
      throw view.malformed(
          at,
          "names of %s in this block of directory inode %d"
              .formatted(tree.bounds(rank), directory.number()),
          "%s of hash 0x%08x".formatted(name, hash));
    }
  }

  /** Checks an entry, and tells whether it names an inode. */
  private boolean isUsed(long at, long end) throws MalformedDataException {
    // The header read for the check must not pass the end of the block either.
    long room = end - at;
    int length = room < ExtLayout.D_NAME ? 0 : parts.entryLength(at);
    int smallest = ExtLayout.D_NAME + ExtLayout.D_ALIGNMENT;
    if (length < smallest || length % ExtLayout.D_ALIGNMENT != 0 || length > room) {
      throw view.malformed(
          at + ExtLayout.D_REC_LEN,
          "a directory entry of %d..%d bytes, a multiple of 4".formatted(smallest, room),
          "one of %d".formatted(length));
    }
    long inode = view.u32(at + ExtLayout.D_INODE);
    if (inode == 0) {
      return false;
    }
    checkInode(at + ExtLayout.D_INODE, inode, 0);
    int nameLength = view.u8(at + ExtLayout.D_NAME_LEN);
    if (nameLength == 0 || nameLength > length - ExtLayout.D_NAME) {
      throw view.malformed(
          at + ExtLayout.D_NAME_LEN,
          "a name of 1..%d bytes".formatted(length - ExtLayout.D_NAME),
          "one of %d".formatted(nameLength));
    }
    int least = NameForm.hashOffset(nameLength) + Long.BYTES;
    if (form.hashInEntry() && length < least && !isDots(NameForm.stored(view, at))) {
      throw view.malformed(
          at + ExtLayout.D_REC_LEN,
          "a directory entry of at least %d bytes, with the hash of its name".formatted(least),
          "one of %d".formatted(length));
    }
    return true;
  }

  private void checkInode(long field, long inode, long least) throws MalformedDataException {
    if (inode < least || inode > superblock.inodes()) {
      throw view.malformed(
          field,
          "an inode number of at most %d".formatted(superblock.inodes()),
          Long.toString(inode));
    }
  }

  /** A file made under a name with a slash would land outside its folder. */
  private void checkName(long at, FileName name) throws MalformedDataException {
    for (int i = 0; i < name.length(); i += Long.BYTES) {
      if (FileName.hasSlashOrNul(name.word(i), name.length() - i)) {
        throw slashOrNul(at, name, i);
      }
    }
  }

  /** Finds the byte for the message. */
  private MalformedDataException slashOrNul(long at, FileName name, int from) {
    int i = from;
    while (name.at(i) != '/' && name.at(i) != 0) {
      i++;
    }
    return view.malformed(
        at + ExtLayout.D_NAME + i, "a name without slash or NUL", "0x%02x".formatted(name.at(i)));
  }

  private FileType type(long at) throws MalformedDataException {
    int type = superblock.fileTypes() ? view.u8(at + ExtLayout.D_FILE_TYPE) : 0;
    return FileType.ofEntry(type);
  }
}
