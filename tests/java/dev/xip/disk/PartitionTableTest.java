package dev.xip.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.ByteView;
import dev.xip.image.CorruptImageException;
import dev.xip.testing.Disks;
import dev.xip.testing.Disks.Part;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Partition tables, with partx and the kernel as judges. */
class PartitionTableTest {
  private static final long SECTOR = 512;
  private static final long DISK = 8L << 20;
  private static final Pattern PAIR = Pattern.compile("([A-Z]+)=\"([^\"]*)\"");

  @TempDir Path folder;
  private final long seed = Long.getLong("xip.seed", System.nanoTime());
  private final Random random = new Random(seed);

  private static PartitionTable read(Path file) throws IOException {
    return PartitionTable.of(view(file));
  }

  private static ByteView view(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      return new ByteView(
          channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto()),
          file.toString(),
          CorruptImageException::new);
    }
  }

  private static PartitionTable read(byte[] disk) throws IOException {
    return PartitionTable.of(
        new ByteView(MemorySegment.ofArray(disk), "disk", CorruptImageException::new));
  }

  /** Partitions at random places that do not overlap, with random gaps in their numbers. */
  private List<Part> randomParts(int sectorBytes, boolean gpt) {
    List<Part> parts = new ArrayList<>();
    long at = 64;
    long sectors = DISK / sectorBytes - 64;
    int number = 0;
    while (true) {
      number += 1 + (random.nextInt(3) == 0 ? 1 : 0);
      at += 1 + random.nextInt(20);
      long length = 1 + random.nextInt((int) Math.max(2, sectors / 12));
      if (at + length > sectors || !gpt && number > 4) {
        return parts;
      }
      parts.add(
          new Part(number, at, length, gpt ? Disks.LINUX : "83", gpt ? "part " + number : ""));
      at += length;
    }
  }

  private static List<String> partx(Path disk, int sector) throws IOException {
    List<String> found = new ArrayList<>();
    String out =
        Processes.run(
                "env",
                "LC_ALL=C.UTF-8",
                Judge.program("partx").toString(),
                "--pairs",
                "--sector-size",
                Integer.toString(sector),
                "--output",
                "NR,START,SECTORS,NAME,UUID,TYPE",
                disk.toString())
            .text();
    for (String line : out.lines().toList()) {
      List<String> values = new ArrayList<>();
      Matcher pair = PAIR.matcher(line);
      while (pair.find()) {
        values.add(pair.group(2));
      }
      // In units of 512 bytes, whatever the sector is.
      found.add(String.join(" ", values));
    }
    return found;
  }

  /** Partx does not count the bytes of a partition that only holds others. */
  private static List<String> ours(PartitionTable table, int unit) {
    List<String> found = new ArrayList<>();
    for (Partition each : table.partitions()) {
      if (!each.container()) {
        found.add(
            "%d %d %d %s %s %s"
                .formatted(
                    each.number(),
                    each.start() / unit,
                    each.size() / unit,
                    each.name(),
                    each.uuid(),
                    each.type()));
      }
    }
    return found;
  }

  @Test
  void partitionsOfAGptAreThoseThatPartxFinds() throws IOException {
    for (int sector : new int[] {512, 4096}) {
      Path disk = Disks.empty(folder.resolve("gpt" + sector), DISK);
      Disks.gpt(disk, sector, randomParts(sector, true));
      PartitionTable table = read(disk);
      assertThat(table.kind()).isEqualTo("GPT");
      assertThat(table.warnings()).isEmpty();
      assertThat(ours(table, (int) SECTOR))
          .as("-Dxip.seed=%d, %s", seed, sector)
          .isNotEmpty()
          .isEqualTo(partx(disk, sector));
    }
  }

  @Test
  void primaryPartitionsAreThoseThatPartxFinds() throws IOException {
    Path disk = Disks.empty(folder.resolve("mbr"), DISK);
    Disks.mbr(disk, randomParts(512, false));
    assertThat(ours(read(disk), (int) SECTOR))
        .as("-Dxip.seed=%d", seed)
        .isEqualTo(partx(disk, 512));
  }

  private Path withLogical() throws IOException {
    Path disk = Disks.empty(folder.resolve("logical"), DISK);
    Disks.mbr(
        disk,
        List.of(
            new Part(1, 64, 100, "83", ""),
            new Part(3, 1000, 9000, "5", ""),
            new Part(5, 1001, 500, "83", ""),
            new Part(6, 2000, 700, "82", ""),
            new Part(7, 3000, 10, "07", "")));
    return disk;
  }

  @Test
  void logicalPartitionsAreThoseThatPartxFinds() throws IOException {
    Path disk = withLogical();
    List<String> judged = new ArrayList<>(partx(disk, 512));
    judged.removeIf(each -> each.startsWith("3 "));
    assertThat(ours(read(disk), (int) SECTOR)).isEqualTo(judged);
  }

  @Test
  void aFileSystemInAPartitionIsNamedAsBlkidNamesIt() throws IOException {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    for (String type : new String[] {"ext2", "ext3", "ext4"}) {
      Path image = folder.resolve(type);
      Processes.run("mke2fs", "-q", "-t", type, "-L", "my label", image.toString(), "8M");
      Contents found = Contents.of(view(image)).getFirst();
      String judged = Processes.run("blkid", "-p", "-o", "export", image.toString()).out();
      assertThat(judged)
          .contains("TYPE=%s\n".formatted(found.name()), "UUID=%s\n".formatted(found.uuid()));
      assertThat(found.label()).isEqualTo("my label");
      assertThat(PartitionTable.of(view(image))).isNull();
    }
    assertThat(Contents.of(view(Images.ext2(tree)))).hasSize(1);
  }

  private Path gpt() throws IOException {
    Path disk = Disks.empty(folder.resolve("disk"), DISK);
    Disks.gpt(
        disk,
        512,
        List.of(
            new Part(1, 2048, 2048, Disks.LINUX, "one"),
            new Part(2, 4096, 4096, "933ac7e1-2eb4-4f13-b844-0e14e2aef915", "zwölf")));
    return disk;
  }

  @Test
  void theBackupIsUsedAndNamedIfTheFirstGptIsDamaged() throws IOException {
    for (long at : new long[] {512, 512 + 16, 512 + 56, 1024 + 32}) {
      Path disk = gpt();
      Disks.put(disk, at, new byte[] {42});
      PartitionTable table = read(disk);
      assertThat(table.partitions()).hasSize(2);
      assertThat(table.warnings())
          .singleElement()
          .asString()
          .contains("byte 0x", "backup at byte 0x%x is used".formatted(DISK - SECTOR));
      Files.delete(disk);
    }
  }

  @Test
  void aGptThatIsDamagedWithItsBackupIsRefused() throws IOException {
    Path disk = gpt();
    Disks.put(disk, 512 + 56, new byte[] {42});
    Disks.put(disk, DISK - SECTOR + 56, new byte[] {42});
    assertThatThrownBy(() -> read(disk))
        .isInstanceOf(CorruptImageException.class)
        .hasMessageContainingAll("at byte 0x210", "CRC32 of the GPT header", "backup");
  }

  @Test
  void aDiskWhoseMbrPromisesAGptMustHaveOne() throws IOException {
    Path disk = gpt();
    Disks.put(disk, 512, new byte[8]);
    Disks.put(disk, DISK - SECTOR, new byte[8]);
    assertThatThrownBy(() -> read(disk))
        .isInstanceOf(CorruptImageException.class)
        .hasMessageContaining("expected a GPT header");
  }

  @Test
  void anOldGptBehindANewMbrIsIgnored() throws IOException {
    Path disk = gpt();
    Disks.mbr(disk, List.of(new Part(1, 64, 100, "83", "")));
    assertThat(read(disk).kind()).isEqualTo("MBR");
  }

  private static Partition choose(Path disk, String choice) throws IOException {
    return read(disk).choose(PartitionChoice.parse(choice), 0);
  }

  @Test
  void aPartitionIsChosenByNumberNameUuidAndType() throws IOException {
    Path disk = gpt();
    Partition two = read(disk).partitions().getLast();
    assertThat(choose(disk, "2")).isEqualTo(two);
    assertThat(choose(disk, "label=zwölf")).isEqualTo(two);
    assertThat(choose(disk, "uuid=" + two.uuid().toUpperCase())).isEqualTo(two);
    assertThat(choose(disk, "type=home")).isEqualTo(two);
    assertThat(choose(disk, "type=933AC7E1-2EB4-4F13-B844-0E14E2AEF915")).isEqualTo(two);
    Path logical = withLogical();
    assertThat(choose(logical, "type=82").number()).isEqualTo(6);
    assertThat(choose(logical, "type=swap").number()).isEqualTo(6);
    for (String wrong : new String[] {"", "0", "-1", "two", "label=", "size=3", "99999999999"}) {
      assertThat(PartitionChoice.parse(wrong)).as(wrong).isNull();
    }
  }

  @Test
  void aWrongChoiceIsRefusedWithTheListOfPartitions() throws IOException {
    Path disk = gpt();
    assertThatThrownBy(() -> choose(disk, "3"))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContainingAll(
            "has no partition 3;", "1 (unknown contents \"one\", 1 MiB)", "\"zwölf\", 2 MiB");
    assertThatThrownBy(() -> choose(withLogical(), "type=83"))
        .hasMessageContainingAll("has 2 partitions type=0x83: a number names one", ", type 0x82)");
    assertThatThrownBy(() -> choose(disk, "type=linux-swap"))
        .hasMessageContaining("no partition type=linux-swap;");
    assertThatThrownBy(() -> choose(disk, "uuid=1"))
        .hasMessageContaining("MiB, UUID " + read(disk).partitions().getLast().uuid() + ")");
    assertThatThrownBy(() -> choose(withLogical2(), "3"))
        .hasMessageContaining("only holds logical partitions");
  }

  private Path withLogical2() throws IOException {
    Files.delete(folder.resolve("logical"));
    return withLogical();
  }

  @Test
  void partitionsThatOverlapOrPassTheEndAreRefused() throws IOException {
    Path disk = Disks.empty(folder.resolve("bad"), DISK);
    Disks.mbr(
        disk,
        List.of(
            new Part(1, 64, 100, "83", ""),
            new Part(2, 100, 100, "83", ""),
            new Part(3, 1000, 0xffff_ffffL, "83", "")));
    assertThatThrownBy(() -> choose(disk, "1"))
        .hasMessageContainingAll(
            "partition 1, bytes 0x8000 to 0x14800",
            "overlaps partition 2, bytes 0xc800",
            "--offset 0x8000 --size 0xc800 reads it all the same");
    assertThatThrownBy(() -> choose(disk, "3"))
        .hasMessageContaining("past the end of the disk at 0x800000")
        .hasMessageEndingWith("--offset 0x7d000 reads what is there");
    Path far = Disks.empty(folder.resolve("far"), DISK);
    Disks.gpt(far, 512, List.of(new Part(1, Long.MAX_VALUE - 3, 10, Disks.LINUX, "")));
    assertThatThrownBy(() -> choose(far, "1")).hasMessageContaining("past the end of the disk");
    Path reversed = Disks.empty(folder.resolve("reversed"), DISK);
    Disks.gpt(reversed, 512, List.of(new Part(1, 3000, -10, Disks.LINUX, "")));
    assertThatThrownBy(() -> choose(reversed, "1")).hasMessageContaining("ends before it begins");
  }

  @Test
  void aChainOfLogicalPartitionsThatLoopsEnds() throws IOException {
    Path disk = withLogical();
    ByteBuffer link = ByteBuffer.allocate(4);
    Disks.put(disk, 2999 * SECTOR + 0x1ce + 8, link.array());
    Disks.put(disk, 2999 * SECTOR + 0x1ce + 4, new byte[] {5});
    Disks.put(disk, 2999 * SECTOR + 0x1ce + 12, new byte[] {1});
    PartitionTable table = read(disk);
    assertThat(table.partitions()).hasSize(5);
    assertThat(table.warnings()).singleElement().asString().contains("comes a second time");
  }

  @Test
  void aChainOfEmptyTablesEndsLongBeforeTheDisk() throws IOException {
    ByteBuffer disk = ByteBuffer.allocate(2 << 20).order(ByteOrder.LITTLE_ENDIAN);
    int sectors = disk.capacity() / 512;
    disk.put(446 + 4, (byte) 5).putInt(446 + 8, 1).putInt(446 + 12, sectors - 1);
    disk.putShort(510, (short) 0xaa55);
    for (int i = 1; i < sectors; i++) {
      disk.put(i * 512 + 446 + 4, (byte) 5).putInt(i * 512 + 446 + 8, i);
      disk.putInt(i * 512 + 446 + 12, 1).putShort(i * 512 + 510, (short) 0xaa55);
    }
    PartitionTable table = read(disk.array());
    assertThat(table.partitions()).hasSize(1);
    assertThat(table.warnings())
        .singleElement()
        .asString()
        .contains("its table at byte 0x40200 comes after 512 others");
  }

  @Test
  void anExternalJournalHoldsNoFiles() throws IOException {
    Path journal = Disks.empty(folder.resolve("journal"), 8 << 20);
    Processes.run("mke2fs", "-q", "-F", "-b", "4096", "-O", "journal_dev", journal.toString());
    Path disk = Disks.of(folder.resolve("with journal"), journal);
    assertThat(read(disk).holdsImages()).isFalse();
    assertThat(read(disk).listing()).contains("external journal");
  }

  @Test
  void damagedTablesAreReadOrRefusedAndNothingElse() throws IOException {
    byte[] gpt = Files.readAllBytes(gpt());
    byte[] mbr = Files.readAllBytes(withLogical());
    int[] places = {0x1be, 0x1fe, 512, 1024, 1000 * 512 + 0x1be, 1999 * 512 + 0x1be};
    for (int i = 0; i < 3000; i++) {
      byte[] disk = (random.nextBoolean() ? gpt : mbr).clone();
      for (int j = 1 + random.nextInt(4); j > 0; j--) {
        disk[places[random.nextInt(places.length)] + random.nextInt(96)] = (byte) random.nextInt();
      }
      try {
        PartitionTable table = read(disk);
        if (table != null) {
          table.listing();
          table.choose(PartitionChoice.parse("1"), 0);
        }
      } catch (FileSystemException e) {
        assertThat(e.getReason()).as("-Dxip.seed=%d", seed).isNotEmpty();
      }
    }
  }
}
