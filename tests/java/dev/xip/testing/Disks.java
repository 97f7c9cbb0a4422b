package dev.xip.testing;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.zip.CRC32;

/** Makes disks with partition tables, which partx and the kernel read too. */
public final class Disks {
  /** The type of a GPT partition with a Linux file system. */
  public static final String LINUX = "0fc63daf-8483-4772-8e79-3d69d8477de4";

  private static final int MBR_SECTOR = 512;
  private static final int ENTRIES = 128;
  private static final int ENTRY_BYTES = 128;
  private static final long MIB = 1 << 20;

  private Disks() {}

  /**
   * A partition to be made.
   *
   * @param number its number
   * @param first its first sector
   * @param sectors how many it has
   * @param type its GUID, or for an MBR the byte as in {@code 83}
   * @param name its name, for a GPT
   */
  public record Part(int number, long first, long sectors, String type, String name) {}

  /**
   * Makes an empty disk.
   *
   * @param file the file to make
   * @param bytes its size
   * @return the file
   * @throws IOException if it cannot be made
   */
  public static Path empty(Path file, long bytes) throws IOException {
    try (FileChannel disk =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      disk.write(ByteBuffer.allocate(1), bytes - 1);
    }
    return file;
  }

  /**
   * Makes a disk with one GPT partition for each image, at whole mebibytes, from 1 MiB on.
   *
   * @param file the disk to make
   * @param images the images to copy into the partitions
   * @return the disk
   * @throws IOException if it cannot be made
   */
  public static Path of(Path file, Path... images) throws IOException {
    List<Part> parts = new ArrayList<>();
    long start = MIB;
    for (Path each : images) {
      long bytes = Math.ceilDiv(Files.size(each), MIB) * MIB;
      parts.add(
          new Part(
              parts.size() + 1,
              start / MBR_SECTOR,
              bytes / MBR_SECTOR,
              LINUX,
              "part-" + (parts.size() + 1)));
      start += bytes;
    }
    empty(file, start + MIB);
    gpt(file, MBR_SECTOR, parts);
    for (int i = 0; i < images.length; i++) {
      put(file, parts.get(i).first * MBR_SECTOR, Files.readAllBytes(images[i]));
    }
    return file;
  }

  /**
   * Writes bytes into a file.
   *
   * @param file the file
   * @param at where the first goes
   * @param bytes the bytes
   * @throws IOException if they cannot be written
   */
  public static void put(Path file, long at, byte[] bytes) throws IOException {
    try (FileChannel disk = FileChannel.open(file, StandardOpenOption.WRITE)) {
      disk.write(ByteBuffer.wrap(bytes), at);
    }
  }

  /**
   * Writes a GPT with its backup and protective MBR.
   *
   * @param file the disk
   * @param sector the bytes of a sector
   * @param parts the partitions
   * @throws IOException if it cannot be written
   */
  public static void gpt(Path file, int sector, List<Part> parts) throws IOException {
    long sectors = Files.size(file) / sector;
    int table = ENTRIES * ENTRY_BYTES / sector;
    ByteBuffer entries = buffer(ENTRIES * ENTRY_BYTES);
    for (Part each : parts) {
      int at = (each.number - 1) * ENTRY_BYTES;
      putGuid(entries, at, UUID.fromString(each.type));
      putGuid(entries, at + 16, idOf(each));
      entries.putLong(at + 32, each.first).putLong(at + 40, each.first + each.sectors - 1);
      byte[] name = each.name.getBytes(StandardCharsets.UTF_16LE);
      entries.put(at + 56, name);
    }
    ByteBuffer mbr = buffer(MBR_SECTOR);
    entry(mbr, 0, 0xee, 1, Math.min(sectors - 1, 0xffff_ffffL));
    put(file, 0, mbr.array());
    header(file, sector, 1, sectors - 1, 2, entries);
    header(file, sector, sectors - 1, 1, sectors - 1 - table, entries);
  }

  /** The UUID that a partition gets. */
  public static UUID idOf(Part part) {
    return UUID.nameUUIDFromBytes(part.toString().getBytes(StandardCharsets.UTF_8));
  }

  private static void header(
      Path file, int sector, long own, long other, long table, ByteBuffer entries)
      throws IOException {
    long sectors = Files.size(file) / sector;
    int tableSectors = ENTRIES * ENTRY_BYTES / sector;
    ByteBuffer header = buffer(sector);
    header.put(0, "EFI PART".getBytes(StandardCharsets.US_ASCII));
    header.putInt(8, 0x10000).putInt(12, 92);
    header.putLong(24, own).putLong(32, other);
    header.putLong(40, 2L + tableSectors).putLong(48, sectors - 2 - tableSectors);
    putGuid(header, 56, new UUID(1, 2));
    header.putLong(72, table).putInt(80, ENTRIES).putInt(84, ENTRY_BYTES);
    header.putInt(88, sum(entries.array(), entries.capacity()));
    header.putInt(16, sum(header.array(), 92));
    put(file, table * sector, entries.array());
    put(file, own * sector, header.array());
  }

  /**
   * Writes an MBR with primary and logical partitions: those with a number above 4 are logical, in
   * the extended partition that is among the primary ones, each with its table in the sector before
   * it.
   *
   * @param file the disk
   * @param parts the partitions in order of their numbers
   * @throws IOException if it cannot be written
   */
  public static void mbr(Path file, List<Part> parts) throws IOException {
    ByteBuffer mbr = buffer(MBR_SECTOR);
    mbr.putInt(0x1b8, 0x1234abcd);
    long extended = 0;
    for (Part each : parts) {
      if (each.number <= 4) {
        int type = Integer.parseInt(each.type, 16);
        entry(mbr, each.number - 1, type, each.first, each.sectors);
        extended = type == 5 || type == 0xf ? each.first : extended;
      }
    }
    put(file, 0, mbr.array());
    List<Part> logical = parts.stream().filter(each -> each.number > 4).toList();
    for (int i = 0; i < logical.size(); i++) {
      Part each = logical.get(i);
      ByteBuffer table = buffer(MBR_SECTOR);
      long own = i == 0 ? extended : each.first - 1;
      entry(table, 0, Integer.parseInt(each.type, 16), each.first - own, each.sectors);
      if (i + 1 < logical.size()) {
        Part next = logical.get(i + 1);
        entry(table, 1, 5, next.first - 1 - extended, next.sectors + 1);
      }
      put(file, own * MBR_SECTOR, table.array());
    }
  }

  private static void entry(ByteBuffer table, int slot, int type, long first, long sectors) {
    int at = 0x1be + 16 * slot;
    table.put(at + 4, (byte) type).putInt(at + 8, (int) first).putInt(at + 12, (int) sectors);
    table.putShort(510, (short) 0xaa55);
  }

  private static void putGuid(ByteBuffer to, int at, UUID id) {
    long high = id.getMostSignificantBits();
    to.putInt(at, (int) (high >>> 32));
    to.putShort(at + 4, (short) (high >>> 16));
    to.putShort(at + 6, (short) high);
    to.putLong(at + 8, Long.reverseBytes(id.getLeastSignificantBits()));
  }

  private static int sum(byte[] bytes, int length) {
    CRC32 sum = new CRC32();
    sum.update(bytes, 0, length);
    return (int) sum.getValue();
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
