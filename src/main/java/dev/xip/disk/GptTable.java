package dev.xip.disk;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.zip.CRC32;

/**
 * Reads a GUID partition table, in sectors of 512 or 4096 bytes: the first one, or the backup at
 * the end of the disk if the first one is damaged. Linux counterpart:
 * block/partitions/efi.c:find_valid_gpt.
 */
final class GptTable {
  private static final int[] SECTORS = {PartitionTable.LEAST_SECTOR, PartitionTable.MOST_SECTOR};

  /** Offsets in the header. */
  private static final int HEADER_BYTES = 12;

  private static final int HEADER_CRC = 16;
  private static final int OWN_SECTOR = 24;
  private static final int ENTRIES = 72;
  private static final int COUNT = 80;
  private static final int ENTRY_BYTES = 84;
  private static final int ENTRIES_CRC = 88;
  private static final int LEAST_HEADER = 92;

  /** Offsets in an entry. */
  private static final int TYPE = 0;

  private static final int OWN_ID = 16;
  private static final int FIRST = 32;
  private static final int LAST = 40;
  private static final int NAME = 56;
  private static final int NAME_BYTES = 72;
  private static final int LEAST_ENTRY = 128;

  private static final long MOST_TABLE = 4L << 20;

  private final ByteView disk;

  /** The bytes of a sector. */
  private final int sector;

  /** Where the header is. */
  private final long at;

  private GptTable(ByteView disk, int sector, long at) {
    this.disk = disk;
    this.sector = sector;
    this.at = at;
  }

  /**
   * Reads the table.
   *
   * @param disk the disk
   * @param promised whether the disk must have one, because its master boot record says so
   * @return the table; null if there is none and none is promised
   * @throws MalformedDataException if the table and its backup are damaged
   */
  static PartitionTable read(ByteView disk, boolean promised) throws MalformedDataException {
    MalformedDataException damage = null;
    for (int sector : SECTORS) {
      GptTable first = new GptTable(disk, sector, sector);
      if (first.isThere()) {
        try {
          return first.table(List.of());
        } catch (MalformedDataException e) {
          damage = e;
        }
      }
    }
    if (damage == null && !promised) {
      return null;
    }
    String first =
        damage == null
            ? "there is no GPT header at byte 0x%x".formatted(SECTORS[0])
            : "the GPT is damaged at byte 0x%x: expected %s, found %s"
                .formatted(damage.offset(), damage.expected(), damage.found());
    for (int sector : SECTORS) {
      GptTable backup = new GptTable(disk, sector, (disk.size() / sector - 1) * sector);
      if (backup.isThere()) {
        try {
          return backup.table(
              List.of("%s; its backup at byte 0x%x is used".formatted(first, backup.at)));
        } catch (MalformedDataException e) {
          damage = damage == null ? e : damage;
        }
      }
    }
    throw disk.malformed(
        damage == null ? SECTORS[0] : damage.offset(),
        (damage == null ? "a GPT header" : damage.expected())
            + ", or a whole backup of the GPT in the last sector",
        damage == null ? "neither" : damage.found() + ", and no such backup");
  }

  private boolean isThere() throws MalformedDataException {
    return at <= disk.size() - sector && PartitionTable.isGpt(disk, at);
  }

  private PartitionTable table(List<String> warnings) throws MalformedDataException {
    checkHeader();
    int bytes = (int) disk.u32(at + ENTRY_BYTES);
    int count = (int) disk.u32(at + COUNT);
    long entries = Math.multiplyExact(disk.u64(at + ENTRIES), (long) sector);
    List<Partition> partitions = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      long entry = entries + (long) i * bytes;
      if (disk.u64(entry + TYPE) != 0 || disk.u64(entry + TYPE + Long.BYTES) != 0) {
        partitions.add(partition(i + 1, entry));
      }
    }
    return new PartitionTable("GPT", disk, partitions, warnings);
  }

  private void checkHeader() throws MalformedDataException {
    long length = disk.u32(at + HEADER_BYTES);
    if (length < LEAST_HEADER || length > sector) {
      throw disk.malformed(
          at + HEADER_BYTES,
          "a GPT header of %d to %d bytes".formatted(LEAST_HEADER, sector),
          Long.toString(length));
    }
    byte[] header = disk.bytes(at, (int) length);
    for (int i = 0; i < Integer.BYTES; i++) {
      header[HEADER_CRC + i] = 0;
    }
    demandSum(at + HEADER_CRC, "the GPT header", header);
    long own = disk.u64(at + OWN_SECTOR);
    if (own != at / sector) {
      throw disk.malformed(
          at + OWN_SECTOR,
          "the GPT header's own sector %d".formatted(at / sector),
          Long.toUnsignedString(own));
    }
    checkEntries();
  }

  private void checkEntries() throws MalformedDataException {
    long bytes = disk.u32(at + ENTRY_BYTES);
    if (bytes < LEAST_ENTRY || bytes > sector || Long.bitCount(bytes) != 1) {
      throw disk.malformed(
          at + ENTRY_BYTES,
          "GPT entries of %d times a power of two bytes".formatted(LEAST_ENTRY),
          Long.toString(bytes));
    }
    long count = disk.u32(at + COUNT);
    if (count < 1 || count > MOST_TABLE / bytes) {
      throw disk.malformed(
          at + COUNT, "1 to %d GPT entries".formatted(MOST_TABLE / bytes), Long.toString(count));
    }
    long first = disk.u64(at + ENTRIES);
    if (first < 1 || first > (disk.size() - count * bytes) / sector) {
      throw disk.malformed(
          at + ENTRIES,
          "%d GPT entries inside the disk of 0x%x bytes".formatted(count, disk.size()),
          "their first sector " + Long.toUnsignedString(first));
    }
    demandSum(
        at + ENTRIES_CRC,
        "the GPT entries",
        disk.bytes(first * sector, Math.toIntExact(count * bytes)));
  }

  private void demandSum(long stored, String what, byte[] bytes) throws MalformedDataException {
    CRC32 sum = new CRC32();
    sum.update(bytes);
    if (disk.u32(stored) != sum.getValue()) {
      throw disk.malformed(
          stored,
          "the CRC32 of %s, 0x%08x".formatted(what, sum.getValue()),
          "0x%08x".formatted(disk.u32(stored)));
    }
  }

  private Partition partition(int number, long entry) throws MalformedDataException {
    long first = disk.u64(entry + FIRST);
    long last = disk.u64(entry + LAST);
    long start = bytes(first);
    long end = last < 0 ? Long.MAX_VALUE : bytes(last + 1);
    return new Partition(
        number,
        start,
        Math.max(0, end - start),
        guid(entry + TYPE),
        name(entry + NAME),
        guid(entry + OWN_ID),
        false);
  }

  /** The byte at which a sector begins, or the largest number. */
  private long bytes(long number) {
    return number < 0 || number > Long.MAX_VALUE / sector ? Long.MAX_VALUE : number * sector;
  }

  /** Reads a GUID, whose first three fields are little-endian. */
  private String guid(long from) throws MalformedDataException {
    long time = disk.u64(from);
    long high = time << 32 | (time >>> 32 & 0xffff) << 16 | time >>> 48;
    return new UUID(high, Long.reverseBytes(disk.u64(from + Long.BYTES))).toString();
  }

  private String name(long from) throws MalformedDataException {
    String name = new String(disk.bytes(from, NAME_BYTES), StandardCharsets.UTF_16LE);
    int end = name.indexOf('\0');
    return end < 0 ? name : name.substring(0, end);
  }
}
