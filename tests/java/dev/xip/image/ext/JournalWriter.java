package dev.xip.image.ext;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;

/**
 * Writes a journal into an image as a kernel does that dies before it writes the blocks home. The
 * journal's inode and its blocks must exist. Written from the description of the format, not with
 * the reader's code.
 */
final class JournalWriter {
  static final int MAGIC = 0xc03b3998;
  private static final int DESCRIPTOR = 1;
  private static final int COMMIT = 2;
  private static final int REVOKE = 5;

  /** How the journal protects its blocks. */
  enum Checksums {
    NONE,
    V1,
    V2,
    V3
  }

  /**
   * The kind of journal.
   *
   * @param version of the superblock, 1 or 2
   * @param wide whether block numbers have 64 bits
   * @param checksums of which version
   * @param async whether a commit block may come before what it commits
   * @param fastCommits whether there is room for fast commits
   */
  record Kind(int version, boolean wide, Checksums checksums, boolean async, boolean fastCommits) {
    private int tagBytes() {
      return switch (checksums) {
        case V3 -> 16;
        case V2 -> wide ? 14 : 10;
        default -> wide ? 12 : 8;
      };
    }

    private boolean inBlocks() {
      return checksums == Checksums.V2 || checksums == Checksums.V3;
    }
  }

  final ByteBuffer image;
  final int blockSize;
  private final long[] blocks;
  private final Kind kind;
  private final byte[] uuid = new byte[16];
  private final int start;
  private final int firstSequence;

  /** Changes numbers before their checksum is made; null to write the truth. */
  private final Random damage;

  int sequence;
  int next;
  long time = 1_700_000_000;

  /** The most tags in a descriptor block, to have several of them in small transactions. */
  int mostTags = Integer.MAX_VALUE;

  JournalWriter(
      byte[] image, int blockSize, long[] blocks, Kind kind, int start, int first, Random damage) {
    this.image = ByteBuffer.wrap(image).order(ByteOrder.BIG_ENDIAN);
    this.blockSize = blockSize;
    this.blocks = blocks;
    this.kind = kind;
    this.start = start;
    this.next = start;
    this.firstSequence = first;
    this.sequence = first;
    this.damage = damage;
    new Random(blocks.length).nextBytes(uuid);
  }

  /** One block that is logged, with the bytes that it is to have. */
  record Logged(long block, byte[] bytes) {}

  /** How many blocks the ring has: all but the superblock and those for fast commits. */
  int ring() {
    return blocks.length - 1 - (kind.fastCommits ? 256 : 0);
  }

  private int at(int logBlock) {
    return (int) (blocks[logBlock] * blockSize);
  }

  private int take() {
    int taken = next++;
    if (next > ring()) {
      next = 1;
    }
    return at(taken);
  }

  private int maybe(int value) {
    if (damage == null || damage.nextInt(40) != 0) {
      return value;
    }
    return switch (damage.nextInt(6)) {
      case 0 -> 0;
      case 1 -> -1;
      case 2 -> value + 1;
      case 3 -> value ^ 1 << damage.nextInt(32);
      case 4 -> damage.nextInt(blocks.length * 2);
      default -> damage.nextInt();
    };
  }

  /** Writes a transaction with its commit block. */
  void commit(List<Logged> logged, List<Long> revoked) {
    commitBlock(body(logged, revoked), false);
    sequence++;
  }

  /** Writes a transaction whose commit block has a wrong checksum. */
  void commitWrongly(List<Logged> logged, List<Long> revoked) {
    commitBlock(body(logged, revoked), true);
    sequence++;
  }

  /** Writes a transaction without its commit block, and returns where its last block lies. */
  int body(List<Logged> logged, List<Long> revoked) {
    revoke(revoked);
    int sum = -1;
    int room = (blockSize - 12 - 16 - (kind.inBlocks() ? 4 : 0)) / kind.tagBytes();
    int most = Math.min(room, mostTags);
    for (int from = 0; from < logged.size(); from += most) {
      sum = logged(logged.subList(from, Math.min(logged.size(), from + most)), sum);
    }
    return sum;
  }

  private void revoke(List<Long> revoked) {
    int size = kind.wide ? 8 : 4;
    int room = (blockSize - 16 - (kind.inBlocks() ? 4 : 0)) / size;
    for (int from = 0; from < revoked.size(); from += room) {
      List<Long> part = revoked.subList(from, Math.min(revoked.size(), from + room));
      int at = header(REVOKE);
      image.putInt(at + 12, maybe(16 + part.size() * size));
      for (int i = 0; i < part.size(); i++) {
        if (kind.wide) {
          image.putLong(at + 16 + 8 * i, part.get(i));
        } else {
          image.putInt(at + 16 + 4 * i, maybe(part.get(i).intValue()));
        }
      }
      tail(at);
    }
  }

  private int header(int type) {
    int at = take();
    image.put(at, new byte[blockSize]);
    image.putInt(at, maybe(MAGIC));
    image.putInt(at + 4, maybe(type));
    image.putInt(at + 8, maybe(sequence));
    return at;
  }

  /** Writes a descriptor block and the blocks it describes. */
  private int logged(List<Logged> part, int sumBefore) {
    int descriptor = header(DESCRIPTOR);
    int tag = descriptor + 12;
    List<Integer> places = new ArrayList<>();
    for (int i = 0; i < part.size(); i++) {
      byte[] bytes = part.get(i).bytes.clone();
      boolean escape = ByteBuffer.wrap(bytes).getInt() == MAGIC;
      if (escape) {
        ByteBuffer.wrap(bytes).putInt(0);
      }
      int at = take();
      places.add(at);
      image.put(at, bytes);
      int flags = (escape ? 1 : 0) | (i > 0 ? 2 : 0) | (i == part.size() - 1 ? 8 : 0);
      tag(tag, part.get(i).block, maybe(flags), bytes);
      tag += kind.tagBytes() + (i > 0 ? 0 : 16);
    }
    tail(descriptor);
    int sum = crc32(sumBefore, descriptor);
    for (int at : places) {
      sum = crc32(sum, at);
    }
    return sum;
  }

  private void tag(int tag, long block, int flags, byte[] bytes) {
    image.putInt(tag, maybe((int) block));
    image.putShort(tag + 6, (short) flags);
    if (kind.wide || kind.checksums == Checksums.V3) {
      image.putInt(tag + 8, maybe((int) (block >>> 32)));
    }
    CRC32C crc = begin();
    crc.update(ByteBuffer.allocate(4).putInt(sequence).flip());
    crc.update(bytes);
    int value = ~(int) crc.getValue();
    if (kind.checksums == Checksums.V3) {
      image.putInt(tag + 12, value);
    } else if (kind.checksums == Checksums.V2) {
      image.putShort(tag + 4, (short) value);
    }
  }

  private void commitBlock(int sum, boolean wrongly) {
    int at = header(COMMIT);
    image.putLong(at + 0x30, time++);
    if (kind.checksums == Checksums.V1) {
      image.put(at + 12, (byte) 1);
      image.put(at + 13, (byte) 4);
      image.putInt(at + 16, wrongly ? ~sum : sum);
    } else if (kind.inBlocks()) {
      int value = sumOf(at, blockSize);
      image.putInt(at + 16, wrongly ? ~value : value);
    }
  }

  private void tail(int at) {
    if (kind.inBlocks()) {
      image.putInt(at + blockSize - 4, sumOf(at, blockSize));
    }
  }

  private CRC32C begin() {
    CRC32C crc = new CRC32C();
    crc.update(uuid);
    return crc;
  }

  private int sumOf(int at, int length) {
    CRC32C crc = begin();
    crc.update(image.array(), at, length);
    return ~(int) crc.getValue();
  }

  /** CRC-32 with the most significant bit first and without a last inversion. */
  private int crc32(int sum, int at) {
    int crc = sum;
    if (kind.checksums == Checksums.V1) {
      for (int i = 0; i < blockSize; i++) {
        crc ^= image.get(at + i) << 24;
        for (int bit = 0; bit < 8; bit++) {
          crc = crc < 0 ? crc << 1 ^ 0x04c11db7 : crc << 1;
        }
      }
    }
    return crc;
  }

  /**
   * Writes the journal's superblock, and says in that of the image, which may have a checksum, that
   * recovery is needed.
   */
  void finish() {
    int at = at(0);
    image.put(at, new byte[1024]);
    image.putInt(at, MAGIC);
    image.putInt(at + 4, kind.version == 1 ? 3 : 4);
    image.putInt(at + 0x0c, maybe(blockSize));
    image.putInt(at + 0x10, maybe(blocks.length));
    image.putInt(at + 0x14, maybe(1));
    image.putInt(at + 0x18, maybe(firstSequence));
    image.putInt(at + 0x1c, maybe(start));
    if (kind.version == 2) {
      image.putInt(at + 0x24, kind.checksums == Checksums.V1 ? 1 : 0);
      int incompat = 1 | (kind.wide ? 2 : 0) | (kind.async ? 4 : 0);
      incompat |= kind.checksums == Checksums.V2 ? 8 : 0;
      incompat |= kind.checksums == Checksums.V3 ? 0x10 : 0;
      image.putInt(at + 0x28, maybe(incompat | (kind.fastCommits ? 0x20 : 0)));
      image.put(at + 0x30, uuid);
      image.putInt(at + 0x40, 1);
      if (kind.inBlocks()) {
        image.put(at + 0x50, (byte) 4);
        CRC32C crc = new CRC32C();
        crc.update(image.array(), at, 1024);
        image.putInt(at + 0xfc, ~(int) crc.getValue());
      }
    }
    image.put(1024 + 0x60, (byte) (image.get(1024 + 0x60) | 4));
    if ((image.get(1024 + 0x65) & 4) != 0) {
      CRC32C crc = new CRC32C();
      crc.update(image.array(), 1024, 0x3fc);
      image.putInt(1024 + 0x3fc, Integer.reverseBytes(~(int) crc.getValue()));
    }
  }

  /** Writes the head of a fast commit behind a transaction. */
  void fastCommit(int behind) {
    int at = at(ring() + 2);
    image.putInt(at, 9 << 24 | 8 << 8);
    image.putInt(at + 4, 0);
    image.putInt(at + 8, Integer.reverseBytes(behind));
  }
}
