package dev.xip.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.ByteView;
import dev.xip.base.FileName;
import dev.xip.base.Pages;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import dev.xip.testing.Trees;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NotDirectoryException;
import java.nio.file.NotLinkException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the reader of each format does: an image of a tree, made by the format's own tool, holds
 * what the JDK sees in the tree, and damage gives checked exceptions. A subclass makes the images.
 *
 * <p>{@code -Dxip.seed=S} repeats the damage of a run.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class FsImageContract {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final int MUTANTS = Boolean.getBoolean("xip.stress") ? 5_000 : 200;
  private static final FileName NOT_UTF8 = FileName.of(new byte[] {'b', (byte) 0xff, 1, 'd'});
  private static final Set<FileName> DOTS = Set.of(FileName.of("."), FileName.of(".."));

  private final ImageFormat format;
  private Path tree;
  private byte[] bytes;
  private FsImage image;

  /** Every path of the tree by its name in the image; the root's name is empty. */
  private final SortedMap<FileName, Path> expected = new TreeMap<>();

  /** Every name that a walk finds. */
  private final SortedMap<FileName, Inode> found = new TreeMap<>();

  /**
   * Makes the contract of a format.
   *
   * @param format the format
   */
  protected FsImageContract(ImageFormat format) {
    this.format = format;
  }

  /**
   * Makes an image of a tree.
   *
   * @param folder the tree
   * @param file the image to make
   * @throws IOException if the tool fails
   */
  protected abstract void pack(Path folder, Path file) throws IOException;

  /**
   * Names what the tool adds to the root.
   *
   * @return names of folders that are not in the tree
   */
  protected abstract Set<String> added();

  /** {@return the length of the longest name that the tool can pack, in bytes} */
  protected int longestName() {
    return 255;
  }

  private FileName longest() {
    return FileName.of("n".repeat(longestName()));
  }

  /** {@return whether equal blocks of files may be one in the image} */
  protected boolean sharesBlocks() {
    return false;
  }

  @BeforeAll
  void packATree(@TempDir Path folder) throws IOException {
    tree = makeTree(Files.createDirectory(folder.resolve("tree")));
    Path file = folder.resolve("image");
    pack(tree, file);
    bytes = Files.readAllBytes(file);
    image = open(bytes);
    try (Stream<Path> all = Files.walk(tree)) {
      for (Path each : (Iterable<Path>) all::iterator) {
        expected.put(name(each), each);
      }
    }
    TreeWalk.walk(image, image.root(), (walk, inode) -> found.put(walk.path(), inode));
  }

  private Path makeTree(Path tree) throws IOException {
    Trees.small(tree);
    Path names = Files.createDirectory(tree.resolve("names"));
    for (FileName each : List.of(NOT_UTF8, longest(), FileName.of("日本語 a\tb\n"))) {
      Files.writeString(Trees.child(names, each.bytes()), each.toString());
    }
    Path crowd = Files.createDirectory(tree.resolve("crowd"));
    for (int i = 0; i < 600; i++) {
      Files.createFile(crowd.resolve("one-of-many-names-" + i));
    }
    for (int length : new int[] {1, 100, 1000}) {
      Files.createSymbolicLink(tree.resolve("to" + length), Path.of("t".repeat(length)));
    }
    try (RandomAccessFile file = new RandomAccessFile(tree.resolve("all-hole").toFile(), "rw")) {
      file.setLength(1 << 20);
    }
    Processes.run("mkfifo", tree.resolve("pipe").toString());
    ServerSocketChannel.open(StandardProtocolFamily.UNIX)
        .bind(UnixDomainSocketAddress.of(tree.resolve("socket")))
        .close();
    Files.setAttribute(tree.resolve("two-pages"), "unix:mode", 06751);
    Files.setAttribute(tree.resolve("crowd"), "unix:mode", 01777);
    Files.setLastModifiedTime(
        tree.resolve("empty"), FileTime.from(Instant.parse("1969-12-31T23:59:58Z")));
    return tree;
  }

  private FsImage open(byte[] all) throws IOException {
    return format.open("read.img", MemorySegment.ofArray(all));
  }

  private FileName name(Path path) {
    ByteArrayOutputStream name = new ByteArrayOutputStream();
    for (Path at = path; !at.equals(tree); at = at.getParent()) {
      byte[] below = name.toByteArray();
      name.reset();
      name.writeBytes(Trees.nameBytes(at));
      if (below.length > 0) {
        name.write('/');
        name.writeBytes(below);
      }
    }
    return FileName.of(name.toByteArray());
  }

  private Inode inode(String path) throws IOException {
    return PathResolver.resolve(image, path, false);
  }

  private FileContent content(String path) throws IOException {
    return FileContent.of(image, inode(path));
  }

  @Test
  void theFormatRecognisesItsImagesAlone() throws IOException {
    assertThat(format.recognises(view(bytes))).isTrue();
    assertThat(format.recognises(view(new byte[8192]))).isFalse();
    int end = (int) format.magic().offset() + format.magic().bytes();
    assertThat(format.recognises(view(Arrays.copyOf(bytes, end)))).isTrue();
    assertThat(format.recognises(view(Arrays.copyOf(bytes, end - 1)))).isFalse();
  }

  private static ByteView view(byte[] all) {
    return new ByteView(MemorySegment.ofArray(all), "probed.img", CorruptImageException::new);
  }

  @Test
  void theBlocksOfTheSuperblockLieInTheImage() {
    assertThat(image.info().blockSize()).isPositive();
    assertThat(image.info().blocks() * image.info().blockSize()).isBetween(1L, (long) bytes.length);
    assertThat(image.info().inodes()).isGreaterThanOrEqualTo(expected.size() - 2);
  }

  @Test
  void theRootIsADirectoryInsideItself() throws IOException {
    Inode root = image.root();
    assertThat(root.type()).isEqualTo(FileType.DIRECTORY);
    for (FileName each : DOTS) {
      assertThat(image.find(root, each)).isEqualTo(root.number());
    }
  }

  @Test
  void aWalkSeesTheNamesOfTheTree() {
    Set<FileName> names = new TreeSet<>(found.keySet());
    added().forEach(each -> assertThat(names.remove(FileName.of(each))).as(each).isTrue());
    assertThat(names).isEqualTo(expected.keySet());
  }

  @Test
  void everyNameThatIsListedIsFound() throws IOException {
    for (Inode directory : ofType(FileType.DIRECTORY)) {
      Map<FileName, Long> listed = listed(directory);
      for (Map.Entry<FileName, Long> each : listed.entrySet()) {
        assertThat(image.find(directory, each.getKey())).isEqualTo(each.getValue());
      }
      assertThat(listed).containsKeys(DOTS.toArray(FileName[]::new));
    }
  }

  @Test
  void theFirstLookUpFindsWhatThoseThroughAnIndexFind() throws IOException {
    Inode crowd = inode("crowd");
    Map<FileName, Long> listed = listed(crowd);
    for (Map.Entry<FileName, Long> each : listed.entrySet()) {
      FileName missing = FileName.of(each.getKey() + "0000");
      FsImage fresh = open(bytes);
      assertThat(fresh.find(crowd, each.getKey())).isEqualTo(each.getValue());
      assertThat(fresh.find(crowd, missing)).isEqualTo(-1);
      for (int i = 0; i < 3; i++) {
        assertThat(image.find(crowd, each.getKey())).isEqualTo(each.getValue());
        assertThat(image.find(crowd, missing)).isEqualTo(-1);
      }
    }
  }

  private Map<FileName, Long> listed(Inode directory) throws IOException {
    Map<FileName, Long> names = new TreeMap<>();
    image.list(
        directory,
        (name, number, type) -> {
          assertThat(names.put(name, number)).as("%s before", name).isNull();
          assertThat(type).as("%s", name).isIn(image.inode(number).type(), FileType.UNKNOWN);
          return true;
        });
    return names;
  }

  @Test
  void aNameThatIsNotThereIsNotFound() throws IOException {
    for (String each : List.of("hello.tx", "hello.txt2", "Hello.txt", "", "n".repeat(255))) {
      assertThat(image.find(image.root(), FileName.of(each))).as(each).isEqualTo(-1);
    }
  }

  @Test
  void namesOfAnyBytesAreFound() throws IOException {
    Inode names = inode("names");
    for (FileName each : List.of(NOT_UTF8, longest())) {
      assertThat(image.inode(image.find(names, each)).size()).isPositive();
    }
  }

  @Test
  void aVisitorStopsTheListing() throws IOException {
    List<FileName> seen = new ArrayList<>();
    image.list(image.root(), (name, number, type) -> seen.add(name) && seen.size() < 2);
    assertThat(seen).hasSize(2);
  }

  @Test
  void attributesAreThoseOfTheTree() throws IOException {
    for (Map.Entry<FileName, Path> each : expected.entrySet()) {
      if (each.getKey().length() == 0) {
        // The tools give the root attributes of their own.
        continue;
      }
      Inode inode = found.get(each.getKey());
      Map<String, Object> theirs =
          Files.readAttributes(each.getValue(), "unix:*", LinkOption.NOFOLLOW_LINKS);
      Instant modified = ((FileTime) theirs.get("lastModifiedTime")).toInstant();
      assertThat(inode).as("%s", each.getKey()).isNotNull();
      assertThat(inode.mode()).as("%s", each.getKey()).isEqualTo(theirs.get("mode"));
      assertThat((int) inode.uid()).as("%s", each.getKey()).isEqualTo(theirs.get("uid"));
      assertThat((int) inode.gid()).as("%s", each.getKey()).isEqualTo(theirs.get("gid"));
      assertThat(inode.modified().truncatedTo(ChronoUnit.SECONDS))
          .as("%s", each.getKey())
          .isEqualTo(modified.truncatedTo(ChronoUnit.SECONDS));
      if (inode.type() != FileType.DIRECTORY) {
        assertThat(inode.size()).as("%s", each.getKey()).isEqualTo(theirs.get("size"));
        assertThat((int) inode.links()).as("%s", each.getKey()).isEqualTo(theirs.get("nlink"));
      }
    }
  }

  @Test
  void hardLinksShareAnInode() throws IOException {
    Inode hello = inode("hello.txt");
    assertThat(inode("sub/deeper/hard")).isEqualTo(hello);
    assertThat(hello.links()).isEqualTo(2);
    assertThat(inode("empty").number()).isNotEqualTo(hello.number());
  }

  @Test
  void linksLeadWhereTheyDoInTheTree() throws IOException {
    for (Map.Entry<FileName, Path> each : expected.entrySet()) {
      if (Files.isSymbolicLink(each.getValue())) {
        assertThat(image.readLink(found.get(each.getKey())))
            .hasToString(Files.readSymbolicLink(each.getValue()).toString());
      }
    }
  }

  @Test
  void everyByteIsThatOfTheTree() throws IOException {
    for (Map.Entry<FileName, Path> each : expected.entrySet()) {
      if (Files.isRegularFile(each.getValue(), LinkOption.NOFOLLOW_LINKS)) {
        byte[] theirs = Files.readAllBytes(each.getValue());
        byte[] ours = new byte[theirs.length + 1];
        long count =
            FileContent.of(image, found.get(each.getKey())).read(0, MemorySegment.ofArray(ours));
        assertThat(count).as("%s", each.getKey()).isEqualTo(theirs.length);
        assertThat(Arrays.mismatch(ours, theirs)).as("%s", each.getKey()).isEqualTo(theirs.length);
      }
    }
  }

  @Test
  void everyRangeIsThatOfTheTree() throws IOException {
    byte[] packed = Files.readAllBytes(tree.resolve("holes"));
    FileContent content = content("holes");
    Random random = new Random(3);
    for (int i = 0; i < 2000; i++) {
      int from = random.nextInt(i % 2 == 0 ? 60_000 : packed.length);
      byte[] read = new byte[random.nextInt(20_000)];
      Arrays.fill(read, (byte) 0x55);
      long count = content.read(from, MemorySegment.ofArray(read));
      assertThat(count).isEqualTo(Math.min(read.length, packed.length - from));
      int end = from + (int) count;
      assertThat(Arrays.equals(read, 0, (int) count, packed, from, end)).isTrue();
    }
  }

  @Test
  void aHoleReadsAsZeros() throws IOException {
    byte[] read = new byte[100];
    Arrays.fill(read, (byte) 1);
    content("holes").read(0, MemorySegment.ofArray(read));
    assertThat(read).containsOnly(0);
  }

  @Test
  void readingStopsAtTheEndAndLeavesTheRestAlone() throws IOException {
    byte[] read = new byte[8];
    Arrays.fill(read, (byte) '.');
    assertThat(content("hello.txt").read(4, MemorySegment.ofArray(read))).isEqualTo(2);
    assertThat(new String(read, StandardCharsets.US_ASCII)).isEqualTo("o\n......");
  }

  @Test
  void atAndPastTheEndThereIsNothing() throws IOException {
    MemorySegment read = MemorySegment.ofArray(new byte[8]);
    assertThat(content("hello.txt").read(6, read)).isZero();
    assertThat(content("hello.txt").read(Long.MAX_VALUE, read)).isZero();
    assertThat(content("empty").read(0, read)).isZero();
    assertThat(content("hello.txt").read(0, read.asSlice(0, 0))).isZero();
  }

  @Test
  void aSinkThatTakesLessThanItIsGivenEndsTheRead() throws IOException {
    List<Long> places = new ArrayList<>();
    long taken =
        content("hello.txt")
            .read(
                1,
                100,
                (from, offset, at, length) -> {
                  places.add(at);
                  return length - 2;
                },
                70);
    assertThat(taken).isEqualTo(3);
    assertThat(places).containsExactly(70L);
  }

  @Test
  void aNegativePositionIsRefused() throws IOException {
    FileContent content = content("hello.txt");
    assertThatThrownBy(() -> content.read(-1, MemorySegment.ofArray(new byte[1])))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("EINVAL");
  }

  @Test
  void extentsOfAllFilesLieInTheImageAndShareNoByteUnlessTheyMay() throws IOException {
    List<Extent> all = new ArrayList<>();
    for (Inode each : ofType(FileType.REGULAR)) {
      BlockMap map = image.blockMap(each);
      long end = 0;
      for (int i = 0; i < map.extentCount(); i++) {
        Extent extent = map.extent(i);
        assertThat(extent.fileOffset()).isGreaterThanOrEqualTo(end);
        assertThat(extent.imageOffset()).isBetween(0L, bytes.length - extent.length());
        if (map.verdict() == Verdict.IN_PLACE) {
          long places = extent.fileOffset() | extent.imageOffset() | extent.length();
          assertThat(Pages.isAligned(places)).as("%s", extent).isTrue();
        }
        end = extent.fileEnd();
        all.add(extent);
      }
    }
    all.sort(Comparator.comparingLong(Extent::imageOffset));
    for (int i = 1; i < all.size() && !sharesBlocks(); i++) {
      Extent before = all.get(i - 1);
      assertThat(all.get(i).imageOffset())
          .isGreaterThanOrEqualTo(before.imageOffset() + before.length());
    }
  }

  @Test
  void anEmptyFileIsInPlaceWithoutExtents() throws IOException {
    BlockMap map = image.blockMap(inode("empty"));
    assertThat(map.verdict()).isEqualTo(Verdict.IN_PLACE);
    assertThat(map.extentCount()).isZero();
  }

  @Test
  void onlyRegularFilesAreInPlace() throws IOException {
    for (String each : List.of("/", "link", "pipe", "socket")) {
      assertThat(image.blockMap(inode(each)).verdict()).as(each).isEqualTo(Verdict.NOT_REGULAR);
      assertThatThrownBy(() -> content(each))
          .isInstanceOf(FileSystemException.class)
          .hasMessageContaining("not a regular file");
    }
  }

  @Test
  void onlyLinksHaveTargets() {
    for (String each : List.of("/", "hello.txt", "pipe")) {
      assertThatThrownBy(() -> image.readLink(inode(each))).isInstanceOf(NotLinkException.class);
    }
  }

  @Test
  void onlyDirectoriesHaveEntries() throws IOException {
    for (String each : List.of("hello.txt", "link", "pipe")) {
      Inode file = inode(each);
      assertThatThrownBy(() -> image.list(file, (name, number, type) -> true))
          .isInstanceOf(NotDirectoryException.class);
      assertThatThrownBy(() -> image.find(file, FileName.of("x")))
          .isInstanceOf(NotDirectoryException.class);
    }
  }

  @Test
  void aNumberOfNoInodeIsRefused() {
    for (long each : new long[] {-1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 32}) {
      assertThatExceptionOfType(CorruptImageException.class).isThrownBy(() -> image.inode(each));
    }
  }

  @Test
  void extendedAttributesAreThoseOfTheTree(@TempDir Path folder) throws IOException {
    Path marked = Files.createDirectory(folder.resolve("tree"));
    Judge.needs(
        Files.getFileStore(marked).supportsFileAttributeView("user"),
        "temporary files with extended attributes");
    Path file = Files.writeString(marked.resolve("file"), "x");
    Map<String, byte[]> values =
        Map.of("comment", "short".getBytes(), "empty", new byte[0], "long", new byte[700]);
    for (Map.Entry<String, byte[]> each : values.entrySet()) {
      Files.getFileAttributeView(file, UserDefinedFileAttributeView.class)
          .write(each.getKey(), ByteBuffer.wrap(each.getValue()));
    }
    pack(marked, folder.resolve("image"));
    FsImage opened = open(Files.readAllBytes(folder.resolve("image")));
    SortedMap<FileName, byte[]> read =
        opened.extendedAttributes(PathResolver.resolve(opened, "file", true));
    assertThat(read).hasSameSizeAs(values);
    values.forEach(
        (name, value) -> assertThat(read.get(FileName.of("user." + name))).isEqualTo(value));
    assertThat(image.extendedAttributes(inode("hello.txt"))).isEmpty();
  }

  @Test
  void deviceNodesHaveTheirNumbers(@TempDir Path folder) throws IOException {
    Judge.deviceNodes();
    Path nodes = Files.createDirectory(folder.resolve("tree"));
    Processes.run("mknod", nodes.resolve("null").toString(), "c", "1", "3");
    Processes.run("mknod", nodes.resolve("disk").toString(), "b", "300", "65535");
    pack(nodes, folder.resolve("image"));
    FsImage opened = open(Files.readAllBytes(folder.resolve("image")));
    assertThat(PathResolver.resolve(opened, "null", true))
        .returns(FileType.CHARACTER_DEVICE, Inode::type)
        .returns(1, Inode::deviceMajor)
        .returns(3, Inode::deviceMinor);
    assertThat(PathResolver.resolve(opened, "disk", true))
        .returns(FileType.BLOCK_DEVICE, Inode::type)
        .returns(300, Inode::deviceMajor)
        .returns(65535, Inode::deviceMinor);
  }

  private List<Inode> ofType(FileType type) {
    Map<Long, Inode> once = new TreeMap<>();
    found.values().stream().filter(i -> i.type() == type).forEach(i -> once.put(i.number(), i));
    return List.copyOf(once.values());
  }

  @Test
  void aTruncatedImageGivesOnlyIoExceptions() {
    Random random = new Random(SEED);
    for (int round = 0; round < 50; round++) {
      int length = round < 20 ? round * 256 : random.nextInt(bytes.length);
      readDamaged(Arrays.copyOf(bytes, length), "first %d bytes".formatted(length));
    }
  }

  @Test
  void changedBytesGiveOnlyIoExceptions() throws IOException {
    System.err.println(getClass().getName() + ": -Dxip.seed=" + SEED);
    Random random = new Random(SEED);
    int[] places = metadata();
    byte[] damaged = bytes.clone();
    int refused = 0;
    for (int mutant = 0; mutant < MUTANTS; mutant++) {
      int[] changed =
          random.ints(1 + random.nextInt(4), 0, places.length).map(i -> places[i]).toArray();
      for (int each : changed) {
        damaged[each] = (byte) random.nextInt(256);
      }
      String told = "seed %d, mutant %d".formatted(SEED, mutant);
      refused += readDamaged(damaged, told) ? 0 : 1;
      for (int each : changed) {
        damaged[each] = bytes[each];
      }
    }
    assertThat(refused).as("images that are refused at some place").isPositive();
  }

  /** Places that hold something and are not the contents of regular files. */
  private int[] metadata() throws IOException {
    byte[] left = bytes.clone();
    for (Inode each : ofType(FileType.REGULAR)) {
      BlockMap map = image.blockMap(each);
      for (int i = 0; i < map.extentCount(); i++) {
        int from = (int) map.extent(i).imageOffset();
        Arrays.fill(left, from, from + (int) map.extent(i).length(), (byte) 0);
      }
    }
    List<Integer> places = new ArrayList<>();
    for (int at = 0; at < left.length; at++) {
      // Bitmaps are long runs of one byte.
      if (left[at] != 0 && left[at] != -1) {
        places.add(at);
      }
    }
    return places.stream().mapToInt(Integer::intValue).toArray();
  }

  /** Reads an image in every way; returns whether none was refused. */
  private boolean readDamaged(byte[] damaged, String told) {
    try {
      FsImage opened = open(damaged);
      boolean[] sound = {true};
      TreeWalk.walk(
          opened,
          opened.root(),
          (walk, inode) -> {
            try {
              readOne(opened, inode);
            } catch (IOException damage) {
              assertThat(damage).as(told).hasMessageContaining("read.img");
              sound[0] = false;
            }
          });
      return sound[0];
    } catch (IOException damage) {
      assertThat(damage).as(told).hasMessageContaining("read.img");
      return false;
    } catch (RuntimeException bug) {
      throw new AssertionError(told, bug);
    }
  }

  /** Of the contents both ends: a damaged size can be terabytes of zeros. */
  private static void readOne(FsImage opened, Inode inode) throws IOException {
    opened.extendedAttributes(inode);
    switch (inode.type()) {
      case SYMLINK -> opened.readLink(inode);
      case DIRECTORY -> opened.find(inode, FileName.of("not there"));
      case REGULAR -> {
        FileContent content = FileContent.of(opened, inode);
        MemorySegment read = MemorySegment.ofArray(new byte[4096]);
        content.read(0, read);
        content.read(Math.max(0, inode.size() - 4096), read);
      }
      default -> assertThat(opened.blockMap(inode).extentCount()).isZero();
    }
  }
}
