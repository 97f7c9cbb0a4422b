package dev.xip.disk;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import java.nio.file.FileSystemException;
import java.util.ArrayList;
import java.util.List;

/** The partitions of a disk. Immutable. */
public final class PartitionTable {
  /** How many partitions a message lists. */
  private static final int MOST_LISTED = 16;

  /** The sizes of sectors, in bytes. */
  static final int LEAST_SECTOR = 512;

  static final int MOST_SECTOR = 4096;

  /** At the end of a boot sector, and of each table of logical partitions. */
  static final int BOOT_MARK = 510;

  static final int BOOT_MARK_VALUE = 0xaa55;

  /** The letters EFI PART. */
  private static final long GPT = 0x5452_4150_2049_4645L;

  private final String kind;
  private final ByteView disk;
  private final List<Partition> partitions;
  private final List<String> warnings;

  PartitionTable(String kind, ByteView disk, List<Partition> partitions, List<String> warnings) {
    this.kind = kind;
    this.disk = disk;
    this.partitions = List.copyOf(partitions);
    this.warnings = List.copyOf(warnings);
  }

  /**
   * Reads the partition table of a disk, a GPT or that of a master boot record.
   *
   * @param disk the bytes of the disk
   * @return the table, or null if the disk has none
   * @throws MalformedDataException if it has one that is damaged, with its backup if there is one
   */
  public static PartitionTable of(ByteView disk) throws MalformedDataException {
    boolean marked = isMarked(disk);
    if (!marked && !isGpt(disk, LEAST_SECTOR) && !isGpt(disk, MOST_SECTOR)) {
      return null;
    }
    boolean mbr = marked && MbrTable.isOn(disk);
    boolean promised = mbr && MbrTable.isProtective(disk);
    if (mbr && !promised) {
      return MbrTable.read(disk);
    }
    return GptTable.read(disk, promised);
  }

  /** Tells whether a disk begins with a boot sector, which a file system may have too. */
  private static boolean isMarked(ByteView disk) throws MalformedDataException {
    return disk.size() >= LEAST_SECTOR && disk.u16(BOOT_MARK) == BOOT_MARK_VALUE;
  }

  /** Tells whether the header of a GPT begins at a byte of a disk. */
  static boolean isGpt(ByteView disk, long at) throws MalformedDataException {
    return at > 0 && at <= disk.size() - LEAST_SECTOR && disk.u64(at) == GPT;
  }

  /** {@return the kind of the table: GPT or MBR} */
  public String kind() {
    return kind;
  }

  /** {@return the partitions in the order of the table} */
  public List<Partition> partitions() {
    return partitions;
  }

  /** {@return what is wrong with the table but does not keep it from being read, in words} */
  public List<String> warnings() {
    return warnings;
  }

  /**
   * Finds the partition that a user means.
   *
   * @param choice how it was named
   * @param from the byte of the file at which the disk begins, for advice
   * @return the partition, which lies inside the disk and shares no byte with another
   * @throws FileSystemException if no partition or more than one is meant, or it cannot be read;
   *     the message lists what there is
   * @throws MalformedDataException if the disk cannot be read
   */
  public Partition choose(PartitionChoice choice, long from) throws FileSystemException {
    List<Partition> found = new ArrayList<>();
    for (Partition each : partitions) {
      if (choice.fits(each, choice.needsContents() ? contents(each) : null)) {
        found.add(each);
      }
    }
    if (found.size() != 1) {
      String how =
          found.isEmpty()
              ? "has no partition " + choice
              : "has %d partitions %s: a number names one".formatted(found.size(), choice);
      throw refused("%s; there are %s".formatted(how, listing(choice.key())));
    }
    Partition chosen = found.getFirst();
    demandReadable(chosen, from);
    return chosen;
  }

  private void demandReadable(Partition chosen, long from) throws FileSystemException {
    String which = "partition %d".formatted(chosen.number());
    if (chosen.container()) {
      throw refused(which + " only holds logical partitions; there are " + listing());
    }
    if (chosen.end() > disk.size()) {
      String rest = chosen.start() < disk.size() ? "; --offset 0x%x reads what is there" : "";
      throw refused(
          "%s ends at byte 0x%x, past the end of the disk at 0x%x: the image is cut, or the table is"
                  .formatted(which, chosen.end(), disk.size())
              + " wrong"
              + rest.formatted(from + chosen.start()));
    }
    if (chosen.size() == 0) {
      throw refused("%s at byte 0x%x ends before it begins".formatted(which, chosen.start()));
    }
    for (Partition each : partitions) {
      if (each != chosen && !each.container() && each.overlaps(chosen)) {
        throw refused(
            "%s, bytes 0x%x to 0x%x, overlaps partition %d, bytes 0x%x to 0x%x: --offset 0x%x --size"
                    .formatted(
                        which,
                        chosen.start(),
                        chosen.end(),
                        each.number(),
                        each.start(),
                        each.end(),
                        from + chosen.start())
                + " 0x%x reads it all the same".formatted(chosen.size()));
      }
    }
  }

  private FileSystemException refused(String reason) {
    return new FileSystemException(disk.file(), null, reason);
  }

  /**
   * Tells whether a partition behind the start of the disk holds a file system that xip reads.
   *
   * @return whether one does
   * @throws MalformedDataException if the disk cannot be read
   */
  public boolean holdsImages() throws MalformedDataException {
    for (Partition each : partitions) {
      Contents contents = each.start() > 0 ? contents(each) : null;
      if (contents != null && contents.kind() == Contents.Kind.READABLE) {
        return true;
      }
    }
    return false;
  }

  /** What is in a partition, null if that is not known. */
  private Contents contents(Partition partition) throws MalformedDataException {
    if (partition.container() || partition.size() == 0 || partition.end() > disk.size()) {
      return null;
    }
    List<Contents> contents =
        Contents.of(
            new ByteView(
                disk.memory().asSlice(partition.start(), partition.size()),
                disk.file(),
                (file, at, expected, found) ->
                    disk.malformed(partition.start() + at, expected, found)));
    return contents.isEmpty() ? null : contents.getFirst();
  }

  /**
   * {@return the partitions for a message, each with what is in it}
   *
   * @throws MalformedDataException if the disk cannot be read
   */
  public String listing() throws MalformedDataException {
    return listing(PartitionChoice.Key.NUMBER);
  }

  /** The partitions for a message, each with what it could have been chosen by. */
  private String listing(PartitionChoice.Key key) throws MalformedDataException {
    List<String> listed = new ArrayList<>();
    for (Partition each : partitions.subList(0, Math.min(MOST_LISTED, partitions.size()))) {
      listed.add(described(each, key));
    }
    if (partitions.size() > MOST_LISTED) {
      listed.add("and %d more".formatted(partitions.size() - MOST_LISTED));
    }
    return listed.isEmpty() ? "none" : String.join(", ", listed);
  }

  private String described(Partition partition, PartitionChoice.Key key)
      throws MalformedDataException {
    Contents contents = contents(partition);
    String what;
    if (partition.container()) {
      what = "extended";
    } else if (partition.end() > disk.size()) {
      what = "past the end of the disk";
    } else {
      what = contents == null ? "unknown contents" : contents.name();
    }
    String name =
        partition.name().isEmpty() && contents != null ? contents.label() : partition.name();
    String more =
        switch (key) {
          case TYPE -> ", type " + partition.type();
          case UUID -> ", UUID " + partition.uuid();
          default -> "";
        };
    return "%d (%s%s, %s%s)"
        .formatted(
            partition.number(),
            what,
            name.isEmpty() ? "" : " \"" + name + "\"",
            partition.sizeText(),
            more);
  }
}
