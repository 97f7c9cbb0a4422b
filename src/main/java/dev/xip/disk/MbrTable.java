package dev.xip.disk;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Reads the partition table of a master boot record and the chains of logical partitions, in
 * sectors of 512 bytes. Terminates on every disk. Linux counterpart:
 * block/partitions/msdos.c:msdos_partition.
 */
final class MbrTable {
  /** The length of a sector in bytes. */
  static final int SECTOR = PartitionTable.LEAST_SECTOR;

  private static final int DISK_ID = 0x1b8;
  private static final int PROTECTIVE = 0xee;

  /** The kernel counts no more partitions on one disk (include/linux/blkdev.h, DISK_MAX_PARTS). */
  private static final int MOST = 255;

  /** The most tables of logical partitions that are read: some of them may be empty. */
  private static final int MOST_TABLES = 512;

  /**
   * One entry of a table.
   *
   * @param boot 0, or 0x80 for the partition that is booted
   * @param type the type; several mean a partition that holds logical ones
   * @param start the first sector, from the table or a partition on
   * @param count how many sectors, 0 if the entry is not in use
   */
  private record Entry(int boot, int type, long start, long count) {
    private static final int FIRST = 0x1be;
    private static final int BYTES = 16;
    private static final int COUNT = 4;
    private static final Set<Integer> CONTAINERS = Set.of(0x05, 0x0f, 0x85);

    /** Reads the entries of the table in one sector. */
    static List<Entry> of(ByteView disk, long sector) throws MalformedDataException {
      List<Entry> entries = new ArrayList<>(COUNT);
      for (int i = 0; i < COUNT; i++) {
        long at = sector * SECTOR + FIRST + (long) i * BYTES;
        entries.add(new Entry(disk.u8(at), disk.u8(at + 4), disk.u32(at + 8), disk.u32(at + 12)));
      }
      return entries;
    }

    boolean isUsed() {
      return count > 0;
    }

    boolean isContainer() {
      return isUsed() && CONTAINERS.contains(type);
    }
  }

  private final ByteView disk;
  private final long id;
  private final List<Partition> partitions = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();

  /** The sectors that hold tables of logical partitions. */
  private final Set<Long> chained = new HashSet<>();

  private int nextLogical = Entry.COUNT + 1;

  private MbrTable(ByteView disk) throws MalformedDataException {
    this.disk = disk;
    this.id = disk.u32(DISK_ID);
  }

  /**
   * Tells whether a disk that begins with a boot sector has entries of partitions there.
   * Precondition: the disk has a whole sector.
   */
  static boolean isOn(ByteView disk) throws MalformedDataException {
    List<Entry> entries = Entry.of(disk, 0);
    return entries.stream().allMatch(each -> each.boot == 0 || each.boot == 0x80)
        && entries.stream().anyMatch(Entry::isUsed);
  }

  /** Tells whether the table says that the disk has a GPT. Precondition: {@link #isOn}. */
  static boolean isProtective(ByteView disk) throws MalformedDataException {
    return Entry.of(disk, 0).stream().anyMatch(each -> each.type == PROTECTIVE);
  }

  /** Reads the table. Precondition: {@link #isOn}. */
  static PartitionTable read(ByteView disk) throws MalformedDataException {
    MbrTable table = new MbrTable(disk);
    List<Entry> entries = Entry.of(disk, 0);
    for (int i = 0; i < entries.size(); i++) {
      Entry each = entries.get(i);
      if (each.isUsed()) {
        table.add(i + 1, each, each.start);
      }
    }
    for (Entry each : entries) {
      if (each.isContainer()) {
        table.follow(each);
      }
    }
    return new PartitionTable("MBR", disk, table.partitions, table.warnings);
  }

  private void add(int number, Entry entry, long start) {
    partitions.add(
        new Partition(
            number,
            start * SECTOR,
            entry.count * SECTOR,
            "0x%x".formatted(entry.type),
            "",
            "%08x-%02x".formatted(id, number),
            entry.isContainer()));
  }

  /** Follows a chain of tables, each with a logical partition and the place of the next table. */
  private void follow(Entry container) throws MalformedDataException {
    Entry link = new Entry(0, container.type, 0, container.count);
    while (link != null) {
      long sector = container.start + link.start;
      String broken = whyBroken(sector);
      if (broken != null) {
        warnings.add(
            "the chain of logical partitions breaks off before number %d: its table at byte 0x%x %s"
                .formatted(nextLogical, sector * SECTOR, broken));
        return;
      }
      link = table(container, link, sector);
    }
  }

  private String whyBroken(long sector) throws MalformedDataException {
    if (sector * SECTOR > disk.size() - SECTOR) {
      return "lies past the end of the disk at 0x%x".formatted(disk.size());
    }
    int signature = disk.u16(sector * SECTOR + PartitionTable.BOOT_MARK);
    if (signature != PartitionTable.BOOT_MARK_VALUE) {
      return "ends in 0x%04x, not in 0x%04x".formatted(signature, PartitionTable.BOOT_MARK_VALUE);
    }
    if (!chained.add(sector)) {
      return "comes a second time";
    }
    boolean many = nextLogical > MOST || chained.size() > MOST_TABLES;
    return many ? "comes after %d others".formatted(chained.size() - 1) : null;
  }

  /** Adds the partitions of one table, and returns its link to the next one, null for none. */
  private Entry table(Entry container, Entry link, long sector) throws MalformedDataException {
    Entry next = null;
    List<Entry> entries = Entry.of(disk, sector);
    for (int i = 0; i < entries.size(); i++) {
      Entry each = entries.get(i);
      if (each.isContainer()) {
        next = next == null ? each : next;
      } else if (each.isUsed() && (i < 2 || fits(each, container, link, sector))) {
        add(nextLogical++, each, sector + each.start);
      }
    }
    return next;
  }

  /** The last two entries of a table may be garbage, so they count only if they make sense. */
  private static boolean fits(Entry entry, Entry container, Entry link, long sector) {
    return entry.start + entry.count <= link.count
        && sector + entry.start + entry.count <= container.start + container.count;
  }
}
