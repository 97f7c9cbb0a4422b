package dev.xip.pack;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.ProgressListener;
import dev.xip.image.BlockMap;
import dev.xip.image.Extent;
import dev.xip.image.FileType;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.image.TreeWalk;
import dev.xip.image.Verdict;
import dev.xip.machine.Machine;
import dev.xip.machine.MachineConfig;
import dev.xip.machine.Mount;
import dev.xip.mount.OpenImage;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentSource;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.SegmentType;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import dev.xip.testing.Trees;
import dev.xip.vm.AddressReader;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.Census;
import dev.xip.vm.MapFlag;
import dev.xip.vm.MapRequest;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Packed trees with large files: where the files lie, and that nothing else is changed. */
class AlignedPackTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final long MEBI = 1L << 20;
  private static final long LEAF = 2 * MEBI;

  /** A run of a file's blocks, or one block, as debugfs prints it: {@code (12-1035):60-1083}. */
  private static final Pattern RUN = Pattern.compile("\\((\\d+)(?:-\\d+)?\\):(\\d+)(?:-(\\d+))?");

  private final Random random = new Random(SEED);

  @TempDir Path folder;
  private Path tree;

  private Path makeTree() throws IOException {
    System.err.println("AlignedPackTest: -Dxip.seed=" + SEED);
    tree = Files.createDirectory(folder.resolve("tree"));
    return tree;
  }

  private PackFormat format = PackFormat.EXT2;

  private PackReport pack(Path image) throws IOException, InterruptedException {
    return Packer.pack(tree, image, format, ProgressListener.NONE);
  }

  /** Packs the tree and has e2fsprogs look at every byte of the image. */
  private Path packed() throws IOException, InterruptedException {
    Path image = folder.resolve("image");
    pack(image);
    Processes.run("e2fsck", "-fn", image.toString());
    Path dump = Images.dump(image, folder.resolve("dump"));
    Processes.run("diff", "-r", "--no-dereference", tree.toString(), dump.toString());
    Processes.run("rm", "-r", dump.toString());
    try (Arena arena = Arena.ofConfined()) {
      requireThatDebugfsFindsTheSameBlocks(image, Images.open(image, arena));
    }
    return image;
  }

  private static void requireThatDebugfsFindsTheSameBlocks(Path file, FsImage image)
      throws IOException {
    List<String> commands = new ArrayList<>();
    List<String> ours = new ArrayList<>();
    TreeWalk.walk(
        image,
        image.root(),
        (walk, inode) -> {
          if (inode.type() == FileType.REGULAR) {
            commands.add("stat <%d>".formatted(inode.number()));
            ours.add(runs(image.blockMap(inode)));
          }
        });
    String[] theirs = Images.debugfs(file, commands).split("(?m)^debugfs: stat .*\n");
    for (int i = 0; i < ours.size(); i++) {
      BlockMap.Builder map = new BlockMap.Builder();
      Matcher run = RUN.matcher(theirs[i + 1]);
      while (run.find()) {
        long first = Long.parseLong(run.group(2));
        long last = run.group(3) == null ? first : Long.parseLong(run.group(3));
        map.add(Long.parseLong(run.group(1)) << 12, first << 12, last - first + 1 << 12);
      }
      assertThat(ours.get(i)).isEqualTo(runs(map.build(Verdict.IN_PLACE)));
    }
  }

  private static String runs(BlockMap map) {
    StringBuilder runs = new StringBuilder();
    for (int i = 0; i < map.extentCount(); i++) {
      runs.append(map.extent(i)).append('\n');
    }
    return runs.toString();
  }

  private interface MapVisitor {
    void see(Inode inode, BlockMap map) throws IOException;
  }

  private static void look(Path file, String path, MapVisitor visitor) throws IOException {
    try (OpenImage mount = OpenImage.open(file)) {
      Inode inode = PathResolver.resolve(mount.image(), path, true);
      visitor.see(inode, mount.image().blockMap(inode));
    }
  }

  private static void requireAligned(Path file, String path, long bytes) throws IOException {
    look(file, path, (inode, map) -> assertThat(map.alignedBytes(LEAF)).as(path).isEqualTo(bytes));
  }

  private void solid(String name, long bytes) throws IOException {
    for (long at = 0; at < bytes; at += MEBI) {
      Trees.write(tree.resolve(name), at, (int) Math.min(MEBI, bytes - at), random);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"EXT2", "EXT4"})
  void everyWholePieceOfALargeFileLiesWhereALeafCanMapIt(PackFormat each) throws Exception {
    format = each;
    makeTree();
    long[] sizes = {
      LEAF - 4096,
      LEAF - 4095,
      LEAF,
      LEAF + 1,
      2 * LEAF,
      5 * MEBI + 12_345,
      7 * MEBI - 1,
      140 * MEBI
    };
    for (long size : sizes) {
      solid("solid" + size, size);
    }
    Trees.small(tree.resolve("small"));
    Path image = packed();
    for (long size : sizes) {
      requireAligned(image, "/solid" + size, (size + 4095 & -4096) / LEAF * LEAF);
    }
    // Only the tables at the beginning of a group of blocks lie in between.
    look(image, "/solid" + 140 * MEBI, (inode, map) -> assertThat(map.extentCount()).isEqualTo(2));
  }

  @ParameterizedTest
  @EnumSource(names = {"EXT2", "EXT4"})
  void holesStayHolesAndTheirPiecesHaveNoSlot(PackFormat each) throws Exception {
    format = each;
    makeTree();
    solid("holes", 4 * LEAF);
    String holes = tree.resolve("holes").toString();
    Processes.run("fallocate", "-p", "-o", "" + (LEAF + 8192), "-l", "4096", holes);
    solid("zeros", LEAF);
    try (FileChannel file = FileChannel.open(tree.resolve("zeros"), StandardOpenOption.WRITE)) {
      file.write(ByteBuffer.allocate(4096), 8192);
    }
    Trees.write(tree.resolve("sparse"), 250 * MEBI, 5000, random);
    Trees.write(tree.resolve("sparse"), 100 * MEBI, 100_000, random);
    for (long at = 30 * MEBI; at < 34 * MEBI; at += MEBI) {
      Trees.write(tree.resolve("sparse"), at, (int) MEBI, random);
    }
    Trees.write(tree.resolve("only-end"), 3 * LEAF - 4096, 4096, random);
    Path image = packed();
    requireAligned(image, "/holes", 3 * LEAF);
    requireAligned(image, "/zeros", LEAF);
    requireAligned(image, "/sparse", 2 * LEAF);
    look(
        image,
        "/holes",
        (inode, map) -> assertThat(map.alignedBytes(1)).isEqualTo(4 * LEAF - 4096));
    look(image, "/sparse", (inode, map) -> assertThat(map.alignedBytes(1)).isLessThan(5 * MEBI));
    look(image, "/only-end", (inode, map) -> assertThat(map.alignedBytes(1)).isEqualTo(4096));
  }

  @Test
  void aFileOfThousandsOfRunsHasATreeOfExtents() throws Exception {
    format = PackFormat.EXT4;
    makeTree();
    for (int i = 0; i < 2000; i++) {
      Trees.write(tree.resolve("runs"), i * 8192L, 4096, random);
    }
    Path image = packed();
    look(image, "/runs", (inode, map) -> assertThat(map.extentCount()).isEqualTo(2000));
    assertThat(Images.debugfs(image, List.of("ex /runs"))).contains(" 2/ 2 340/340");
  }

  @Test
  void linksLargeFoldersAndAttributesComeAlong() throws Exception {
    makeTree();
    solid("large", 3 * LEAF + 5);
    Path crowd = Files.createDirectory(tree.resolve("crowd"));
    for (int i = 0; i < 2000; i++) {
      Files.writeString(crowd.resolve("a-rather-long-name-of-a-file-" + i), "contents " + i);
    }
    Files.createLink(crowd.resolve("hard"), tree.resolve("large"));
    Files.createSymbolicLink(crowd.resolve("slow"), Path.of("x/".repeat(100) + "x"));
    Files.createSymbolicLink(crowd.resolve("fast"), Path.of("../large"));
    String[] files = {"large", "crowd/a-rather-long-name-of-a-file-7"};
    byte[] value = new byte[3000];
    random.nextBytes(value);
    for (String each : files) {
      Files.getFileAttributeView(tree.resolve(each), UserDefinedFileAttributeView.class)
          .write("xip", ByteBuffer.wrap(value));
    }
    Path image = packed();
    requireAligned(image, "/crowd/hard", 3 * LEAF);
    for (String each : files) {
      Path out = folder.resolve("value");
      assertThat(Images.debugfs(image, List.of("stat " + each))).doesNotContain("File ACL: 0\n");
      Images.debugfs(image, List.of("ea_get -f \"%s\" %s user.xip".formatted(out, each)));
      assertThat(out).hasBinaryContent(value);
    }
  }

  @Test
  void anyTreeIsWhatE2fsprogsSay() throws Exception {
    makeTree();
    for (int round = 0; round < 6; round++) {
      format = round % 2 == 0 ? PackFormat.EXT2 : PackFormat.EXT4;
      int files = 1 + random.nextInt(60);
      for (int i = 0; i < files; i++) {
        Path sub = Files.createDirectories(tree.resolve("d" + random.nextInt(5)));
        randomFile(sub.resolve("f" + i));
      }
      packed();
      Processes.run("rm", "-r", tree.toString());
      Files.createDirectory(tree);
    }
  }

  private void randomFile(Path file) throws IOException {
    int size = random.nextInt(1 << 5 + random.nextInt(19));
    switch (random.nextInt(4)) {
      case 0 -> Files.createFile(file);
      case 1 -> {
        Trees.write(file, random.nextLong(1L << 12 + random.nextInt(12)), size, random);
        Trees.write(file, random.nextLong(3 * LEAF), size, random);
      }
      default -> Trees.write(file, 0, size, random);
    }
    if (random.nextInt(8) == 0) {
      Path name = file.resolveSibling(file.getFileName() + "-link");
      Files.createSymbolicLink(name, Path.of("t".repeat(1 + random.nextInt(200))));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"EXT2", "EXT4"})
  void theKernelSeesTheTreeThatWasPacked(PackFormat each) throws Exception {
    format = each;
    Judge.loopMount();
    Trees.small(makeTree());
    solid("large", 133 * MEBI + 7);
    solid("larger", 9 * MEBI);
    Path image = packed();
    Images.mounted(
        image,
        "ext4",
        root -> Processes.run("diff", "-r", "--no-dereference", "" + tree, "" + root));
  }

  private static String fact(String facts, String label) {
    return facts
        .lines()
        .filter(line -> line.startsWith(label + ":"))
        .map(line -> line.substring(label.length() + 1).strip())
        .findFirst()
        .orElseThrow();
  }

  @ParameterizedTest
  @EnumSource(names = {"EXT2", "EXT4"})
  void theSameTreeGivesTheSameImageAsSparseAsTheTree(PackFormat each) throws Exception {
    format = each;
    Trees.small(makeTree());
    solid("large", 3 * LEAF + 100);
    // The first pack reads the files, which may change their access times; later ones do not.
    Path[] images = {folder.resolve("zero"), folder.resolve("one"), folder.resolve("two")};
    for (Path image : images) {
      pack(image);
    }
    assertThat(images[1]).hasSameBinaryContentAs(images[2]);
    String facts = Processes.run("dumpe2fs", "-h", images[1].toString()).out();
    long used =
        Long.parseLong(fact(facts, "Block count")) - Long.parseLong(fact(facts, "Free blocks"));
    String onDisk = Processes.run("du", "-B4096", images[1].toString()).out().split("\\s")[0];
    // What mke2fs wrote as root and lost+found is zeroed, and may not be in use any more.
    assertThat(Long.parseLong(onDisk)).isLessThanOrEqualTo(used + 5);
  }

  @Test
  void aPackedFileOf64MebibytesIsMappedBy32Leaves() throws Exception {
    makeTree();
    solid("large", 64 * MEBI);
    Path image = folder.resolve("image");
    PackReport.Alignment alignment = pack(image).alignment();
    assertThat(alignment.largeBytes()).isEqualTo(64 * MEBI);
    assertThat(alignment.alignedBytes()).isEqualTo(64 * MEBI);
    SegmentStore store = SegmentStore.create(folder.resolve("store"));
    SegmentName first = SegmentName.of("FIRST");
    store.define(store.place(first, SegmentType.SR, MEBI), SegmentSource.zeros());
    SegmentName name = SegmentName.of("LARGE");
    store.define(store.place(name, SegmentType.SR, Files.size(image)), SegmentSource.moving(image));
    try (Machine machine = Machine.boot(MachineConfig.DEFAULT.withRam(16 << 20), store);
        Mount mount = machine.mount(name);
        AddressSpace space = machine.memoryManager().newAddressSpace("leaves")) {
      Inode inode = PathResolver.resolve(mount.image(), "/large", true);
      AddrRange range =
          space.map(
              MapRequest.shared(mount.open("/large", inode), Access.READ).with(MapFlag.POPULATE));
      Census census = Census.of(space);
      assertThat(census.huge()).isEqualTo(32);
      assertThat(census.special()).isEqualTo(64 * MEBI / 4096);
      assertThat(census.tables()).isEqualTo(3);
      byte[] expected = Files.readAllBytes(tree.resolve("large"));
      AddressReader reader = new AddressReader(space);
      for (int at = 0; at < expected.length; at += 4099) {
        assertThat(reader.getByte(range.start() + at)).isEqualTo(expected[at]);
      }
      assertThat(machine.verify()).isEmpty();
    }
  }

  @Test
  void aFileIsOnePieceOfMemoryWhereNoTablesLieBetween() throws Exception {
    makeTree();
    solid("large", 8 * LEAF);
    pack(folder.resolve("image"));
    look(
        folder.resolve("image"),
        "/large",
        (inode, map) -> {
          assertThat(map.extentCount()).isEqualTo(1);
          Extent extent = map.extent(0);
          assertThat(extent.imageOffset() % LEAF).isZero();
        });
  }
}
