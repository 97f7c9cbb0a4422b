package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;

/**
 * Finds the last transaction of a log that is complete. A log ends where the next block is not of
 * the expected transaction; a wrong checksum may be of an older use of the journal, which the time
 * of the commit tells. Linux counterpart: fs/jbd2/recovery.c:do_one_pass with PASS_SCAN.
 */
final class JournalScan {
  /** The CRC-32 of no block. */
  private static final int EMPTY_SUM = -1;

  private final ByteView view;
  private final JournalLog log;
  private final JournalChecksums checksums;
  private final JournalTags tags;

  /** The transaction that is expected. */
  private int sequence;

  /** The next block. */
  private long block;

  /** How many blocks were passed: the blocks of one round at most. */
  private long passed;

  /** Whether a descriptor or revoke block of the transaction has a wrong checksum. */
  private boolean doubtful;

  /** When the last complete transaction was committed. */
  private long lastTime;

  /** The CRC-32 of the transaction's blocks so far. */
  private int sum = EMPTY_SUM;

  /** The first transaction with a wrong checksum in its commit block; 0 if there is none. */
  private int wrong;

  JournalScan(ByteView view, JournalLog log, JournalTags tags) {
    this.view = view;
    this.log = log;
    this.checksums = log.checksums();
    this.tags = tags;
  }

  /**
   * Scans the log.
   *
   * @return the transaction behind the last complete one
   * @throws MalformedDataException if a transaction that was complete is damaged
   */
  int run() throws MalformedDataException {
    sequence = log.sequence();
    block = log.start();
    boolean more = true;
    while (more) {
      long at = log.offset(block);
      int type = log.type(at, sequence);
      if (passed > log.length() && type != 0) {
        throw view.malformed(
            at,
            "a log of at most %d blocks".formatted(log.length()),
            "one that goes on in a circle in transaction %s"
                .formatted(Integer.toUnsignedString(sequence)));
      }
      pass(1);
      more =
          switch (type) {
            case JournalLayout.DESCRIPTOR_BLOCK -> descriptor(at);
            case JournalLayout.REVOKE_BLOCK -> revoke(at);
            case JournalLayout.COMMIT_BLOCK -> commit(at);
            default -> false;
          };
    }
    return wrong == 0 ? sequence : wrong;
  }

  private void pass(int blocks) {
    block = log.next(block, blocks);
    passed += blocks;
  }

  private boolean descriptor(long at) throws MalformedDataException {
    doubtful |= !checksums.blockAgrees(at);
    int count = tags.read(at).count();
    if (log.sumsTransactions() && wrong == 0) {
      sum = checksums.crc32(sum, at);
      for (int i = 0; i < count; i++) {
        sum = checksums.crc32(sum, log.offset(log.next(block, i)));
      }
    }
    pass(count);
    return true;
  }

  private boolean revoke(long at) throws MalformedDataException {
    doubtful |= !checksums.blockAgrees(at);
    return true;
  }

  private boolean commit(long at) throws MalformedDataException {
    long time = Long.reverseBytes(view.u64(at + JournalLayout.H_COMMIT_SEC));
    boolean old = Long.compareUnsigned(time, lastTime) < 0;
    if (doubtful) {
      if (old) {
        return false;
      }
      throw damaged(at, sequence, "blocks with a wrong checksum");
    }
    if (log.sumsTransactions() && wrong != 0) {
      throw damaged(at, wrong, "a wrong checksum, and transactions behind it");
    }
    boolean agrees =
        log.sumsTransactions() ? checksums.commitAgrees(at, sum) : checksums.commitAgrees(at);
    if (!agrees) {
      boolean sync = !log.has(JournalLayout.INCOMPAT_ASYNC_COMMIT);
      // The kernel has no mark for a failed transaction 0, so the log just ends before it.
      if (old || sync && sequence == 0) {
        return false;
      }
      if (sync) {
        throw damaged(at, sequence, "a commit block with a wrong checksum");
      }
      wrong = sequence;
    }
    sum = EMPTY_SUM;
    lastTime = time;
    sequence++;
    return true;
  }

  private MalformedDataException damaged(long at, int transaction, String found) {
    return view.malformed(
        at,
        "transaction %s of the journal, with the checksums of what was written"
            .formatted(Integer.toUnsignedString(transaction)),
        found);
  }
}
