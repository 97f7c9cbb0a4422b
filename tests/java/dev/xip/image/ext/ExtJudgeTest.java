package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.FileName;
import dev.xip.image.Extent;
import dev.xip.image.FileContent;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.image.TreeWalk;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import dev.xip.testing.Trees;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A large tree, packed by mke2fs, is what debugfs and the kernel say it is. */
class ExtJudgeTest {
  private static final long SEED = Long.getLong("xip.seed", 20080116);
  private static final int CHUNK = 1 << 20;

  @TempDir static Path folder;
  private static Arena arena;
  private static Path file;
  private static ExtImage image;

  /** Every name in the tree, in the order of the walk. */
  private static final Map<FileName, Inode> TREE = new TreeMap<>();

  /** Every inode once. */
  private static final Map<Long, Inode> INODES = new TreeMap<>();

  @BeforeAll
  static void packTheTree() throws IOException {
    System.err.println("ExtJudgeTest: -Dxip.seed=" + SEED);
    file = Images.ext2(Trees.big(folder.resolve("tree"), SEED));
    Images.debugfsWrite(
        file,
        "mknod char-old c 4 64",
        "mknod char-new c 300 65535",
        "mknod block-new b 8 3000",
        "mknod fifo p",
        "mknod socket p",
        "set_inode_field char-old mode 020600",
        "set_inode_field char-new mode 020644",
        "set_inode_field block-new mode 060660",
        "set_inode_field fifo mode 010600",
        "set_inode_field socket mode 0140755",
        "set_inode_field large mode 043777",
        "set_inode_field \"names/a b\" mode 0106755",
        "set_inode_field large/solid0 uid 70000",
        "set_inode_field large/solid0 gid 4000000000",
        "set_inode_field large/solid1 uid 4294967294",
        "set_inode_field large/solid1 mtime @0x80000000",
        "set_inode_field large/solid1 atime @0x7fffffff",
        "set_inode_field large/solid2 mtime @5000000000",
        "set_inode_field large/solid2 mtime_extra 0x1",
        "set_inode_field large/solid3 ctime @1");
    arena = Arena.ofShared();
    image = Images.open(file, arena);
    TreeWalk.walk(
        image,
        image.root(),
        (walk, inode) -> {
          assertThat(TREE.put(walk.path(), inode)).isNull();
          INODES.put(inode.number(), inode);
        });
  }

  @AfterAll
  static void unmap() {
    arena.close();
  }

  @Test
  void theTreeIsLargeEnoughToJudgeBy() {
    assertThat(INODES.values().stream().filter(inode -> inode.type() == FileType.REGULAR).count())
        .isGreaterThan(5_000);
    assertThat(INODES.values().stream().mapToLong(inode -> inode.sectors() * 512).sum())
        .isGreaterThan(200_000_000);
    assertThat(TREE.get(FileName.of("large/triple-indirect")).size())
        .isGreaterThan(Trees.TRIPLE_INDIRECT);
    assertThat(TREE.keySet()).anyMatch(path -> path.toString().endsWith("x".repeat(255)));
  }

  @Test
  void everyDirectoryListsWhatDebugfsLists() throws IOException {
    List<String> commands = new ArrayList<>();
    StringBuilder ours = new StringBuilder();
    for (Inode directory : ofType(FileType.DIRECTORY)) {
      String command = "ls -l -p <%d>".formatted(directory.number());
      commands.add(command);
      ours.append("debugfs: ").append(command).append('\n');
      image.list(
          directory,
          (name, number, type) -> {
            Inode inode = image.inode(number);
            assertThat(type).as("type in the entry %s", name).isIn(inode.type(), UNSURE.get(name));
            ours.append(listed(name, inode));
            return true;
          });
      ours.append('\n');
    }
    assertSameLines(Images.debugfs(file, commands), ours.toString());
  }

  /** An entry made by mknod p, whose inode was then turned into a socket. */
  private static final Map<FileName, FileType> UNSURE =
      Map.of(FileName.of("socket"), FileType.FIFO);

  private static String listed(FileName name, Inode inode) {
    boolean directory = inode.type() == FileType.DIRECTORY;
    return "/%d/%06o/%d/%d/%s/%s/%n"
        .formatted(
            inode.number(),
            inode.mode(),
            (int) inode.uid(),
            (int) inode.gid(),
            new String(name.bytes(), StandardCharsets.ISO_8859_1),
            directory ? "" : inode.size());
  }

  @Test
  void everyInodeIsWhatDebugfsSays() throws IOException {
    List<String> commands = INODES.keySet().stream().map("stat <%d>"::formatted).toList();
    String[] answers = Images.debugfs(file, commands).split("(?m)^debugfs: stat .*\n");
    assertThat(answers).hasSize(INODES.size() + 1);
    int next = 1;
    for (Inode inode : INODES.values()) {
      String theirs = answers[next++];
      assertThat(described(inode)).as(theirs).isEqualTo(described(theirs));
    }
  }

  private static List<Object> described(Inode inode) throws IOException {
    boolean link = inode.type() == FileType.SYMLINK;
    boolean device =
        inode.type() == FileType.CHARACTER_DEVICE || inode.type() == FileType.BLOCK_DEVICE;
    return Arrays.asList(
        inode.number(),
        (long) inode.permissions(),
        inode.uid(),
        inode.gid(),
        inode.size(),
        inode.links(),
        inode.sectors(),
        inode.accessed(),
        inode.modified(),
        inode.changed(),
        device ? inode.deviceMajor() + ":" + inode.deviceMinor() : null,
        link && inode.sectors() == 0 ? image.readLink(inode).toString() : null);
  }

  private static List<Object> described(String stat) {
    String device = field(stat, "Device major/minor number: (\\d+:\\d+)");
    return Arrays.asList(
        Long.parseLong(field(stat, "^Inode: (\\d+)")),
        Long.parseLong(field(stat, "Mode: +(\\d+)"), 8),
        Long.parseLong(field(stat, "^User: +(-?\\d+)")) & 0xffff_ffffL,
        Long.parseLong(field(stat, "Group: +(-?\\d+)")) & 0xffff_ffffL,
        Long.parseLong(field(stat, "Size: (\\d+)")),
        Long.parseLong(field(stat, "^Links: (\\d+)")),
        Long.parseLong(field(stat, "Blockcount: (\\d+)")),
        instant(stat, "atime"),
        instant(stat, "mtime"),
        instant(stat, "ctime"),
        device == null ? null : device.replaceAll("\\b0+(?=\\d)", ""),
        field(stat, "^Fast link dest: \"(.*)\""));
  }

  private static Instant instant(String stat, String name) {
    int seconds = Integer.parseUnsignedInt(field(stat, "^ ?" + name + ": 0x([0-9a-f]+)"), 16);
    long extra = Long.parseLong(field(stat, "^ ?" + name + ": 0x[0-9a-f]+:([0-9a-f]+)"), 16);
    return Instant.ofEpochSecond(seconds + ((extra & 3) << 32), extra >> 2);
  }

  private static String field(String stat, String pattern) {
    Matcher matcher = Pattern.compile(pattern, Pattern.MULTILINE).matcher(stat);
    return matcher.find() ? matcher.group(1) : null;
  }

  @Test
  void everyByteOfEveryFileIsWhatDebugfsReads() throws IOException {
    List<Inode> files = ofType(FileType.REGULAR);
    Path script = folder.resolve("cat.cmd");
    Files.write(script, files.stream().map(f -> "cat <%d>".formatted(f.number())).toList());
    Process debugfs =
        Processes.builder("debugfs", "-f", script.toString(), file.toString())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try (InputStream theirs = new BufferedInputStream(debugfs.getInputStream(), CHUNK)) {
      for (Inode inode : files) {
        String echo = "debugfs: cat <%d>\n".formatted(inode.number());
        assertThat(new String(theirs.readNBytes(echo.length()), StandardCharsets.ISO_8859_1))
            .isEqualTo(echo);
        assertSameBytes(inode, theirs);
      }
      assertThat(theirs.read()).as("nothing is left over").isEqualTo(-1);
    } finally {
      debugfs.destroyForcibly();
    }
  }

  @Test
  void everySlowLinkLeadsWhereDebugfsSays() throws IOException {
    List<Inode> links = ofType(FileType.SYMLINK).stream().filter(l -> l.sectors() > 0).toList();
    assertThat(links).anyMatch(link -> link.size() == 60).anyMatch(link -> link.size() == 4095);
    StringBuilder ours = new StringBuilder();
    for (Inode link : links) {
      ours.append("debugfs: cat <%d>\n".formatted(link.number())).append(image.readLink(link));
    }
    String theirs =
        Images.debugfs(file, links.stream().map(l -> "cat <%d>".formatted(l.number())).toList());
    assertThat(theirs).isEqualTo(ours.toString());
  }

  @Test
  void theKernelSeesTheSameTree() throws IOException {
    Judge.loopMount();
    // Unlike its ext2 driver, the kernel's ext4 driver reads the times of larger inodes in full.
    Images.mounted(
        file,
        "ext4",
        root -> {
          Set<Long> read = new TreeSet<>();
          for (Map.Entry<FileName, Inode> entry : TREE.entrySet()) {
            Path path = Trees.child(root, entry.getKey().bytes());
            Inode inode = entry.getValue();
            assertSameAttributes(path, inode);
            switch (inode.type()) {
              case DIRECTORY -> assertThat(names(path)).isEqualTo(names(inode));
              case SYMLINK ->
                  assertThat(image.readLink(inode))
                      .hasToString(Files.readSymbolicLink(path).toString());
              case REGULAR -> {
                if (read.add(inode.number())) {
                  assertSameBytes(inode, path);
                }
              }
              default -> assertThat(inode.size()).isZero();
            }
          }
        });
  }

  /** Compares all attributes but the time of making, which the JDK does not read. */
  static void assertSameAttributes(Path path, Inode inode) throws IOException {
    Map<String, Object> theirs = Files.readAttributes(path, "unix:*", LinkOption.NOFOLLOW_LINKS);
    long rdev = (long) theirs.get("rdev");
    assertThat(
            List.of(
                inode.number(),
                inode.mode(),
                (int) inode.uid(),
                (int) inode.gid(),
                (int) inode.links(),
                inode.size(),
                FileTime.from(inode.modified()),
                FileTime.from(inode.changed()),
                FileTime.from(inode.accessed()),
                inode.deviceMajor(),
                inode.deviceMinor()))
        .as("%s", path)
        .isEqualTo(
            List.of(
                theirs.get("ino"),
                theirs.get("mode"),
                theirs.get("uid"),
                theirs.get("gid"),
                theirs.get("nlink"),
                theirs.get("size"),
                theirs.get("lastModifiedTime"),
                theirs.get("ctime"),
                theirs.get("lastAccessTime"),
                (int) (rdev >> 8 & 0xfff),
                (int) (rdev & 0xff | rdev >> 12 & 0xfff00)));
  }

  private static Set<FileName> names(Path directory) throws IOException {
    Set<FileName> names = new TreeSet<>(Set.of(FileName.of("."), FileName.of("..")));
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      for (Path entry : entries) {
        names.add(FileName.of(Trees.nameBytes(entry)));
      }
    }
    return names;
  }

  private static Set<FileName> names(Inode directory) throws IOException {
    Set<FileName> names = new TreeSet<>();
    image.list(directory, (name, number, type) -> names.add(name));
    return names;
  }

  private static void assertSameBytes(Inode inode, InputStream theirs) throws IOException {
    FileContent content = FileContent.of(image, inode);
    byte[] ours = new byte[CHUNK];
    byte[] judged = new byte[CHUNK];
    long position = 0;
    while (position < inode.size()) {
      int count = (int) content.read(position, MemorySegment.ofArray(ours));
      assertThat(theirs.readNBytes(judged, 0, count)).isEqualTo(count);
      int difference = Arrays.mismatch(ours, 0, count, judged, 0, count);
      if (difference >= 0) {
        assertThat(position + difference).as("first byte that differs in %s", inode).isEqualTo(-1);
      }
      position += count;
    }
    assertThat(position).isEqualTo(inode.size());
  }

  /** Compares a file of gigabytes of holes only around its extents; debugfs has read the rest. */
  private static void assertSameBytes(Inode inode, Path path) throws IOException {
    if (inode.size() < 1L << 30) {
      try (InputStream theirs = Files.newInputStream(path)) {
        assertSameBytes(inode, theirs);
        assertThat(theirs.read()).isEqualTo(-1);
      }
      return;
    }
    FileContent content = FileContent.of(image, inode);
    try (FileChannel theirs = FileChannel.open(path)) {
      for (int i = 0; i < content.blockMap().extentCount(); i++) {
        Extent extent = content.blockMap().extent(i);
        long from = Math.max(0, extent.fileOffset() - CHUNK);
        byte[] ours = new byte[(int) extent.length() + 2 * CHUNK];
        byte[] judged = new byte[ours.length];
        assertThat(content.read(from, MemorySegment.ofArray(ours)))
            .isEqualTo(theirs.read(ByteBuffer.wrap(judged), from));
        assertThat(Arrays.mismatch(ours, judged)).as("around %s", extent).isEqualTo(-1);
      }
    }
  }

  private static List<Inode> ofType(FileType type) {
    return INODES.values().stream().filter(inode -> inode.type() == type).toList();
  }

  private static void assertSameLines(String theirs, String ours) {
    // For an entry that is not in use debugfs prints a line of zeros; we show nothing.
    String[] a = theirs.replaceAll("(?m)^/0/000000/0/0//0/\n", "").split("\n");
    String[] b = ours.split("\n");
    for (int i = 0; i < Math.min(a.length, b.length); i++) {
      assertThat(b[i]).as("line %d", i).isEqualTo(a[i]);
    }
    assertThat(b).hasSameSizeAs(a);
  }
}
