package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.FileName;
import dev.xip.base.MalformedDataException;
import java.io.IOException;
import java.util.Arrays;

/**
 * The index of a hashed directory, read whole when the directory is first used: the leaf blocks in
 * the order of the hashes of their names. It takes 8 bytes for each leaf, so a look-up is a search
 * in one array, whatever levels the index has. Every block of the directory must be in the index
 * once, so reading it ends on every image. Linux counterpart: fs/ext4/namei.c:dx_probe.
 */
final class HashTree {
  /** Bit 0 of a leaf's first hash: names with that hash begin in the leaf before. */
  private static final int CONTINUES = 1;

  private static final FileName DOT = FileName.of(".");
  private static final FileName DOT_DOT = FileName.of("..");

  private final ByteView view;
  private final DirectoryParts parts;
  private final int nodeLimit;

  /** The least hash of each leaf, unsigned, with {@link #CONTINUES}. */
  private int[] hashes = new int[16];

  /** The number of each leaf in the directory. */
  private int[] blocks = new int[16];

  private int count;

  /** By number in the directory: the place of a leaf in the order of hashes, -1 for an index. */
  private final int[] ranks;

  /** Null if entries hold their hashes. */
  private final NameHash hash;

  /** What {@link #ranks} holds for a block that was not met yet. */
  private static final int UNSEEN = -2;

  private static final int NODE = -1;

  private HashTree(ByteView view, DirectoryParts parts, long root) throws IOException {
    this.view = view;
    this.parts = parts;
    this.hash = NameHash.of(view, view.u8(root + HashTreeLayout.HASH_VERSION));
    this.nodeLimit = limit(HashTreeLayout.NODE_ENTRIES);
    this.ranks = new int[parts.count()];
    Arrays.fill(ranks, UNSEEN);
  }

  /**
   * Reads and checks the whole index of a directory.
   *
   * @param view the image
   * @param parts the directory's blocks
   * @param levels how many levels of index blocks the image may have
   * @param hashInEntry whether the entries hold their hashes
   * @return the index
   * @throws IOException if it is damaged
   */
  static HashTree read(ByteView view, DirectoryParts parts, int levels, boolean hashInEntry)
      throws IOException {
    long root = parts.start(0);
    HashTree tree = new HashTree(view, parts, root);
    tree.checkRoot(root, levels, hashInEntry);
    tree.ranks[0] = NODE;
    parts.setChecked(0);
    int below = view.u8(root + HashTreeLayout.INDIRECT_LEVELS);
    tree.node(root, HashTreeLayout.ROOT_ENTRIES, tree.limit(HashTreeLayout.ROOT_ENTRIES), 0, below);
    tree.checkAllSeen(root);
    return tree;
  }

  private int limit(int entries) {
    int room = parts.blockSize() - entries - (parts.checksums() ? HashTreeLayout.TAIL_SIZE : 0);
    return room / HashTreeLayout.ENTRY_SIZE;
  }

  private void checkRoot(long root, int levels, boolean hashInEntry) throws IOException {
    long second = root + view.u16(root + ExtLayout.D_REC_LEN);
    check(
        root + ExtLayout.D_REC_LEN,
        "the entry . of " + HashTreeLayout.DOT_SIZE + " bytes",
        HashTreeLayout.DOT_SIZE,
        second - root);
    check(
        second + ExtLayout.D_REC_LEN,
        "the entry .. up to the end of the block",
        parts.blockSize() - HashTreeLayout.DOT_SIZE,
        parts.entryLength(second));
    checkName(root, DOT);
    checkName(second, DOT_DOT);
    check(
        root + HashTreeLayout.RESERVED,
        "a zero in front of the index",
        0,
        view.u32(root + HashTreeLayout.RESERVED));
    check(
        root + HashTreeLayout.INFO_LENGTH,
        "8 bytes that describe an index of names",
        HashTreeLayout.INFO_SIZE,
        view.u8(root + HashTreeLayout.INFO_LENGTH));
    int version = view.u8(root + HashTreeLayout.HASH_VERSION);
    if (hashInEntry ? version != HashTreeLayout.SIP : version > HashTreeLayout.TEA) {
      throw view.malformed(
          root + HashTreeLayout.HASH_VERSION,
          hashInEntry ? "the hash function 6" : "a hash function 0..2",
          Integer.toString(version));
    }
    int flags = view.u8(root + HashTreeLayout.FLAGS);
    check(root + HashTreeLayout.FLAGS, "an index without flags", 0, flags & 1);
    int below = view.u8(root + HashTreeLayout.INDIRECT_LEVELS);
    if (below >= levels) {
      throw view.malformed(
          root + HashTreeLayout.INDIRECT_LEVELS,
          "an index of at most %d levels".formatted(levels),
          "one of " + (below + 1));
    }
  }

  /** Other names are looked for in leaves. */
  private void checkName(long entry, FileName expected) throws MalformedDataException {
    FileName name = NameForm.stored(view, entry);
    if (!name.equals(expected)) {
      throw view.malformed(
          entry + ExtLayout.D_NAME, "the entry %s".formatted(expected), name.exactText());
    }
  }

  /**
   * Reads an index block and all below it.
   *
   * @param block the byte offset of the block
   * @param entries where its entries lie
   * @param limit how many it has room for
   * @param first the least hash of all names below it
   * @param below how many levels of index blocks are below it
   */
  private void node(long block, int entries, int limit, int first, int below) throws IOException {
    long at = block + entries;
    check(at + HashTreeLayout.LIMIT, "room for " + limit, limit, view.u16(at));
    int used = view.u16(at + HashTreeLayout.COUNT);
    if (used < 1 || used > limit) {
      throw view.malformed(
          at + HashTreeLayout.COUNT,
          "1..%d entries of an index".formatted(limit),
          Integer.toString(used));
    }
    parts.checkNode(
        block,
        entries + used * HashTreeLayout.ENTRY_SIZE,
        at + (long) limit * HashTreeLayout.ENTRY_SIZE);
    int least = first;
    for (int i = 0; i < used; i++) {
      long entry = at + (long) i * HashTreeLayout.ENTRY_SIZE;
      if (i > 0) {
        least = checkedHash(entry, least);
      }
      int number = checkedBlock(entry + HashTreeLayout.BLOCK, below);
      if (below == 0) {
        add(number, least);
      } else {
        long child = parts.start(number);
        checkNode(child);
        node(child, HashTreeLayout.NODE_ENTRIES, nodeLimit, least, below - 1);
        least = hashes[count - 1];
      }
    }
  }

  private int checkedHash(long entry, int before) throws MalformedDataException {
    int hash = view.s32(entry);
    if (Integer.compareUnsigned(hash, before) < 0) {
      throw view.malformed(entry, "a hash from 0x%x on".formatted(before), "0x%x".formatted(hash));
    }
    return hash;
  }

  private int checkedBlock(long field, int below) throws MalformedDataException {
    int number = (int) view.u32(field) & HashTreeLayout.BLOCK_MASK;
    if (number >= ranks.length || ranks[number] != UNSEEN) {
      throw view.malformed(
          field,
          "each block of the directory, 1..%d, once in its index".formatted(ranks.length - 1),
          "block %d%s".formatted(number, number < ranks.length ? " again" : ""));
    }
    ranks[number] = below == 0 ? count : NODE;
    return number;
  }

  private void checkNode(long block) throws IOException {
    check(block + ExtLayout.D_INODE, "an index block without an inode", 0, view.u32(block));
    check(
        block + ExtLayout.D_REC_LEN,
        "an index block without entries",
        parts.blockSize(),
        parts.entryLength(block));
  }

  private void add(int number, int hash) {
    if (count == hashes.length) {
      hashes = Arrays.copyOf(hashes, 2 * count);
      blocks = Arrays.copyOf(blocks, 2 * count);
    }
    hashes[count] = hash;
    blocks[count] = number;
    count++;
  }

  private void checkAllSeen(long root) throws MalformedDataException {
    for (int number = 0; number < ranks.length; number++) {
      if (ranks[number] == UNSEEN) {
        throw view.malformed(
            root + HashTreeLayout.ROOT_ENTRIES,
            "an index of all %d blocks of the directory".formatted(ranks.length),
            "none of block " + number);
      }
    }
  }

  private void check(long at, String expected, long wanted, long found)
      throws MalformedDataException {
    if (found != wanted) {
      throw view.malformed(at, expected, Long.toString(found));
    }
  }

  /** {@return the hash of a name, by which leaves are ordered} */
  int hash(FileName key) {
    return (int) (hash.hash(key) >>> Integer.SIZE);
  }

  /** {@return the hashes that a leaf may hold, for messages} */
  String bounds(int rank) {
    int last = rank + 1 < count ? hashes[rank + 1] : -1;
    return "hashes 0x%08x..0x%08x".formatted(hashes[rank] & ~CONTINUES, last);
  }

  /** {@return whether a block of the directory holds entries: a leaf, or the root with . and ..} */
  boolean holdsEntries(int block) {
    return block == 0 || ranks[block] != NODE;
  }

  /** {@return the place of a leaf in the order of hashes} */
  int rank(int block) {
    return ranks[block];
  }

  /** {@return how many leaves there are} */
  int leaves() {
    return count;
  }

  /** {@return the number in the directory of the leaf in a place of the order of hashes} */
  int block(int rank) {
    return blocks[rank];
  }

  /**
   * Finds the first leaf that names of one hash may be in; more may follow while {@link #admits}.
   *
   * @param hash the hash
   * @return the leaf's place in the order of hashes
   */
  int rankOf(int hash) {
    int low = 0;
    int high = count - 1;
    while (low < high) {
      int middle = low + high + 1 >>> 1;
      if (Integer.compareUnsigned(hashes[middle], hash) > 0) {
        high = middle - 1;
      } else {
        low = middle;
      }
    }
    return low;
  }

  /**
   * Tells whether a name of some hash may be in a leaf.
   *
   * @param rank the leaf's place in the order of hashes, or one past the last
   * @param hash the hash
   * @return whether it may
   */
  boolean admits(int rank, int hash) {
    if (rank == count || Integer.compareUnsigned(hashes[rank] & ~CONTINUES, hash) > 0) {
      return false;
    }
    if (rank + 1 == count) {
      return true;
    }
    int next = hashes[rank + 1];
    int compared = Integer.compareUnsigned(hash, next & ~CONTINUES);
    return compared < 0 || compared == 0 && (next & CONTINUES) != 0;
  }
}
