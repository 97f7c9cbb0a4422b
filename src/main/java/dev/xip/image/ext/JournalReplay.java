package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import dev.xip.image.Overlay;
import java.util.Arrays;

/**
 * Replays a journal without a write: finds out which blocks of the image a recovery would replace
 * by which blocks of the journal. Where a recovery by the kernel fails, this does too. Linux
 * counterpart: fs/jbd2/recovery.c:jbd2_journal_recover.
 */
final class JournalReplay {
  /** The most blocks of the log that are replayed, more than a journal of the usual size has. */
  private static final int MOST_LOGGED = 1 << 21;

  /** The most bytes that are replaced; they take memory when they are stored. */
  private static final long MOST_BYTES = 1L << 30;

  /** What a user can do about a journal that cannot be replayed. */
  private static final String REMEDY =
      " (e2fsck -fy on a copy recovers it, --no-recovery reads the image without the journal)";

  /** The mark of a target in {@link #sources} that nothing replaces. */
  private static final long NOTHING = 0;

  private final ByteView view;
  private final int blockSize;
  private final JournalLog log;
  private final JournalTags tags;

  /** The transaction behind the last one that is replayed. */
  private int end;

  /** The numbers of the blocks that were logged; sorted, each once, after the first pass. */
  private long[] targets = new long[1024];

  private int targetCount;

  /** For each target whether a transaction revokes it, and the last that does. */
  private boolean[] revoked;

  private int[] revokedBy;

  /** For each target the byte offset of the block that replaces it, or {@link #NOTHING}. */
  private long[] sources;

  private boolean[] escaped;

  /** Receives the descriptor blocks, or the revoke blocks, of all transactions in order. */
  @FunctionalInterface
  private interface Visitor {
    /**
     * Receives one block.
     *
     * @param at its byte offset
     * @param sequence its transaction
     * @param next the block of the log behind it
     */
    void visit(long at, int sequence, long next) throws MalformedDataException;
  }

  private JournalReplay(ByteView view, int blockSize, JournalLog log) {
    this.view = view;
    this.blockSize = blockSize;
    this.log = log;
    this.tags = new JournalTags(view, log, blockSize);
  }

  /**
   * Replays the journal of an image that needs recovery.
   *
   * @param view the image
   * @return what the replay changes
   * @throws MalformedDataException if the superblock or the journal is damaged, or the journal is
   *     of a kind that is not replayed
   */
  static Overlay of(ByteView view) throws MalformedDataException {
    Superblock superblock = Superblock.read(view);
    try {
      return of(view, superblock);
    } catch (MalformedDataException refused) {
      MalformedDataException advised =
          view.malformed(refused.offset(), refused.expected(), refused.found() + REMEDY);
      advised.initCause(refused);
      throw advised;
    }
  }

  private static Overlay of(ByteView view, Superblock superblock) throws MalformedDataException {
    long device = view.u32(ExtLayout.SUPERBLOCK_OFFSET + ExtLayout.S_JOURNAL_DEV);
    if (device != 0) {
      throw view.malformed(
          ExtLayout.SUPERBLOCK_OFFSET + ExtLayout.S_JOURNAL_DEV,
          "a journal inside the image, as it needs recovery",
          "an external one, on device 0x%x, which e2fsck -j takes".formatted(device));
    }
    JournalLog log =
        new JournalLog(view, superblock, new InodeTable(view, superblock).readJournal());
    return log.start() == 0
        ? Overlay.NONE
        : new JournalReplay(view, superblock.blockSize(), log).replay();
  }

  private Overlay replay() throws MalformedDataException {
    end = new JournalScan(view, log, tags).run();
    refuseFastCommits();
    walk(JournalLayout.DESCRIPTOR_BLOCK, this::collect);
    sortTargets();
    walk(JournalLayout.REVOKE_BLOCK, this::revoke);
    walk(JournalLayout.DESCRIPTOR_BLOCK, this::take);
    Overlay.Builder overlay = new Overlay.Builder(targetCount, blockSize, JournalLayout.MAGIC);
    for (int i = 0; i < targetCount; i++) {
      if (sources[i] != NOTHING) {
        overlay.add(new Overlay.Piece(targets[i] * blockSize, sources[i], escaped[i]));
      }
    }
    return overlay.build(end - log.sequence());
  }

  /**
   * Fast commits change inodes, directories and extents by rules of their own, which are not known
   * here. The first begins with a head that names the transaction behind the last complete one.
   * Linux counterpart: fs/ext4/fast_commit.c:ext4_fc_replay_scan.
   */
  private void refuseFastCommits() throws MalformedDataException {
    if (!log.has(JournalLayout.INCOMPAT_FAST_COMMIT)) {
      return;
    }
    long at = log.offset(log.fastCommits());
    if (view.u16(at + JournalLayout.FC_TAG) == JournalLayout.FC_TAG_HEAD
        && view.s32(at + JournalLayout.FC_TID) == end) {
      throw view.malformed(
          at,
          "a journal without fast commits (feature fast_commit)",
          "some behind transaction %s".formatted(Integer.toUnsignedString(end - 1)));
    }
  }

  /** Passes over all complete transactions, which the scan has found to be well-formed. */
  private void walk(int wanted, Visitor visitor) throws MalformedDataException {
    int sequence = log.sequence();
    long block = log.start();
    for (long passed = 0; sequence - end < 0; passed++) {
      long at = log.offset(block);
      int type = passed > log.length() ? 0 : log.type(at, sequence);
      block = log.next(block, 1);
      if (type == wanted) {
        visitor.visit(at, sequence, block);
      }
      switch (type) {
        case JournalLayout.DESCRIPTOR_BLOCK -> block = log.next(block, tags.read(at).count());
        case JournalLayout.COMMIT_BLOCK -> sequence++;
        case JournalLayout.REVOKE_BLOCK -> {}
        default -> throw changed(at);
      }
    }
  }

  private void collect(long at, int sequence, long next) throws MalformedDataException {
    int count = tags.read(at).count();
    if (targetCount + count > MOST_LOGGED) {
      throw tooLarge(at, "at most %d blocks to replay".formatted(MOST_LOGGED));
    }
    if (targetCount + count > targets.length) {
      targets = Arrays.copyOf(targets, Math.max(targetCount + count, 2 * targets.length));
    }
    for (int i = 0; i < count; i++) {
      targets[targetCount++] = tags.block(i);
    }
  }

  private MalformedDataException tooLarge(long at, String expected) {
    return view.malformed(at, expected, "more");
  }

  private void sortTargets() throws MalformedDataException {
    Arrays.sort(targets, 0, targetCount);
    int distinct = 0;
    for (int i = 0; i < targetCount; i++) {
      if (i == 0 || targets[i] != targets[i - 1]) {
        targets[distinct++] = targets[i];
      }
    }
    targetCount = distinct;
    if (distinct > MOST_BYTES / blockSize) {
      throw tooLarge(log.offset(0), "at most 0x%x bytes to replace".formatted(MOST_BYTES));
    }
    revoked = new boolean[distinct];
    revokedBy = new int[distinct];
    sources = new long[distinct];
    escaped = new boolean[distinct];
  }

  private int indexOf(long target) {
    return Arrays.binarySearch(targets, 0, targetCount, target);
  }

  /** Linux counterpart: fs/jbd2/recovery.c:scan_revoke_records. */
  private void revoke(long at, int sequence, long next) throws MalformedDataException {
    long used = log.u32At(at + JournalLayout.R_COUNT);
    int room = blockSize - log.checksums().tailSize();
    if (used > room) {
      throw view.malformed(
          at + JournalLayout.R_COUNT,
          "a revoke block of at most %d bytes".formatted(room),
          Long.toString(used));
    }
    boolean wide = log.has(JournalLayout.INCOMPAT_64BIT);
    int size = wide ? Long.BYTES : Integer.BYTES;
    for (int i = JournalLayout.REVOKE_HEADER_SIZE; i + size <= used; i += size) {
      long block = wide ? Long.reverseBytes(view.u64(at + i)) : log.u32At(at + i);
      int index = indexOf(block);
      if (index >= 0 && (!revoked[index] || sequence - revokedBy[index] > 0)) {
        revoked[index] = true;
        revokedBy[index] = sequence;
      }
    }
  }

  /** Linux counterpart: fs/jbd2/recovery.c:jbd2_do_replay. */
  private void take(long at, int sequence, long next) throws MalformedDataException {
    int count = tags.read(at).count();
    for (int i = 0; i < count; i++) {
      long target = tags.block(i);
      int index = indexOf(target);
      if (index < 0) {
        throw changed(tags.offset(i));
      }
      if (revoked[index] && sequence - revokedBy[index] <= 0) {
        continue;
      }
      long source = log.offset(log.next(next, i));
      if (!log.checksums().loggedBlockAgrees(tags.offset(i), source, sequence)) {
        throw view.malformed(
            source,
            "the checksum in the journal of block %d of the image".formatted(target),
            "another");
      }
      requireTarget(target, tags.offset(i));
      sources[index] = source;
      escaped[index] = tags.escaped(i);
    }
  }

  /** A block may lie behind the end that the superblock names: a journal may enlarge the image. */
  private void requireTarget(long target, long tag) throws MalformedDataException {
    long blocks = view.size() / blockSize;
    if (target < 0 || target >= blocks || log.owns(target * blockSize)) {
      throw view.malformed(
          tag,
          "a block of 0..%d outside the journal".formatted(blocks - 1),
          Long.toUnsignedString(target));
    }
  }

  private MalformedDataException changed(long at) {
    return view.malformed(at, "the journal as it was read before", "a change, made meanwhile");
  }
}
