package dev.xip.mount;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.xip.host.MappingBudget;
import dev.xip.image.BlockMap;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.image.TreeWalk;
import dev.xip.image.Verdict;
import dev.xip.segment.SegmentDefinition;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentPart;
import dev.xip.segment.SegmentSource;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.SegmentType;
import dev.xip.testing.Budget;
import dev.xip.testing.Fragments;
import dev.xip.testing.Images;
import dev.xip.testing.ProcMaps;
import dev.xip.testing.Processes;
import dev.xip.testing.SplitImages;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.MappedByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A mapped file is the image's own pages, for as long as its user needs them. */
class MappedFileTest {
  private static final int PAGE = 4096;
  private static final int COLLECTIONS = 200;

  @TempDir Path folder;
  private Path tree;
  private Path packed;
  private OpenImage image;

  @BeforeAll
  static void awaitNothingTaken() throws InterruptedException {
    Budget.awaitNothingTaken();
  }

  @BeforeEach
  void packATree() throws IOException {
    tree = Trees.small(folder.resolve("tree"));
    Random random = new Random(21);
    Trees.write(tree.resolve("plain"), 0, 200 * PAGE - 7, random);
    Trees.write(tree.resolve("scattered"), 0, 300 * PAGE - 5, random);
    Trees.write(tree.resolve("sparse"), 7 * PAGE + 1, 40 * PAGE, random);
    Trees.write(tree.resolve("sparse"), 90 * PAGE - 3, 30 * PAGE, random);
    Files.createFile(tree.resolve("all-hole"));
    Processes.run("truncate", "-s", "1234567", tree.resolve("all-hole").toString());
    packed = Images.ext2(tree);
    Fragments.scatter(packed, "scattered", 3, 2);
    Fragments.scatter(packed, "sparse", 2, 4);
    image = OpenImage.open(packed);
  }

  @AfterEach
  void unmap() throws Exception {
    image.close();
    // A mapping is taken off the budget just before it is unmapped.
    for (int i = 0; isMapped() && i < COLLECTIONS; i++) {
      System.gc();
      Thread.sleep(10);
    }
    assertThat(isMapped()).isFalse();
  }

  private boolean isMapped() throws IOException {
    return MappingBudget.taken() > 0 || !ProcMaps.containing(packed.toString()).isEmpty();
  }

  private Inode inode(String path) throws IOException {
    return PathResolver.resolve(image.image(), path, true);
  }

  private byte[] original(String path) throws IOException {
    return Files.readAllBytes(tree.resolve(path));
  }

  private static byte[] bytes(MappedByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return bytes;
  }

  private MemorySegment all(String path, Arena arena) throws IOException {
    Inode file = inode(path);
    return image.map(file, 0, file.size(), arena);
  }

  private MappedByteBuffer all(String path) throws IOException {
    Inode file = inode(path);
    return image.map(file, 0, (int) file.size());
  }

  /** A use of each regular file. */
  private interface Use {
    void of(Inode file, BlockMap map) throws IOException;
  }

  private void forEachFileInPlace(Use use) throws IOException {
    List<Inode> files = new ArrayList<>();
    TreeWalk.walk(image.image(), image.image().root(), (walk, inode) -> files.add(inode));
    int used = 0;
    for (Inode file : files) {
      if (file.type() == FileType.REGULAR
          && image.image().blockMap(file).verdict() == Verdict.IN_PLACE) {
        use.of(file, image.image().blockMap(file));
        used++;
      }
    }
    assertThat(used).isGreaterThan(8);
  }

  private void assertShowsItsPlace(MemorySegment memory, long from, BlockMap map)
      throws IOException {
    long step = Math.max(PAGE, memory.byteSize() / 60 / PAGE * PAGE);
    for (long at = 0; at < memory.byteSize(); at += step) {
      assertThat(ProcMaps.fileOffset(memory.address() + at, packed))
          .as("byte 0x%x", from + at)
          .isEqualTo(map.imageOffset(from + at));
    }
  }

  @Test
  void eachAddressLiesInAMappingOfTheImageAtTheOffsetOfTheByte() throws IOException {
    forEachFileInPlace(
        (file, map) -> {
          try (Arena arena = Arena.ofConfined()) {
            long from = Math.min(5, file.size());
            assertShowsItsPlace(image.map(file, from, file.size() - from, arena), from, map);
            MappedByteBuffer buffer = image.map(file, from, (int) (file.size() - from));
            assertShowsItsPlace(MemorySegment.ofBuffer(buffer), from, map);
            Reference.reachabilityFence(buffer);
            MemorySegment mine = image.mapCopyOnWrite(file, 0, file.size(), arena);
            assertShowsItsPlace(mine, 0, map);
          }
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "scattered", "sparse", "all-hole", "hello.txt", "empty"})
  void anyPartIsThatOfTheFile(String path) throws IOException {
    byte[] expected = original(path);
    Inode file = inode(path);
    Random random = new Random(5);
    for (int i = 0; i < 60; i++) {
      int from = random.nextInt(expected.length + 1);
      int size = random.nextInt(expected.length - from + 1);
      byte[] part = Arrays.copyOfRange(expected, from, from + size);
      MappedByteBuffer buffer = image.map(file, from, size);
      assertThat(buffer.isReadOnly()).isTrue();
      assertThat(buffer.load().isLoaded()).isTrue();
      assertThat(bytes(buffer.force())).isEqualTo(part);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment memory = image.map(file, from, size, arena);
        assertThat(memory.isMapped() && memory.isReadOnly()).isTrue();
        assertThat(memory.toArray(JAVA_BYTE)).isEqualTo(part);
        MemorySegment mine = image.mapCopyOnWrite(file, from, size, arena);
        assertThat(mine.isMapped() && !mine.isReadOnly()).isTrue();
        assertThat(mine.toArray(JAVA_BYTE)).isEqualTo(part);
      }
    }
  }

  @Test
  void anyNumberOfBuffersInOneExtentTakesOneMapping() throws IOException {
    Inode file = inode("plain");
    List<MappedByteBuffer> buffers = new ArrayList<>();
    for (int i = 0; i < 100_000; i++) {
      buffers.add(image.map(file, i % 40_000, 100));
    }
    assertThat(MappingBudget.taken()).isEqualTo(1);
    assertThat(ProcMaps.containing(packed.toString())).hasSize(2);
    byte[] expected = original("plain");
    assertThat(buffers.get(70_000).get(99)).isEqualTo(expected[30_099]);
  }

  @Test
  void unreachableBuffersMakeRoomInTheBudgetOfMappings() throws IOException {
    Inode file = inode("scattered");
    long extents = image.image().blockMap(file).extentCount();
    for (long i = 0; i < 3 * MappingBudget.limit() / extents; i++) {
      image.map(file, 0, (int) file.size());
    }
    try (Arena arena = Arena.ofShared()) {
      assertThatExceptionOfType(FileSystemException.class)
          .isThrownBy(
              () -> {
                for (long i = 0; i < 2 * MappingBudget.limit() / extents; i++) {
                  image.map(file, 0, file.size(), arena);
                }
              })
          .withMessageContaining("cannot be mapped at once, but in parts or read")
          .withMessageContaining("ENOMEM");
    }
  }

  @Test
  void aBufferOutlivesTheImageAndItsFile() throws IOException {
    MappedByteBuffer plain = all("plain");
    MappedByteBuffer scattered = all("scattered");
    Files.delete(packed);
    image.close();
    assertThat(bytes(scattered)).isEqualTo(original("scattered"));
    assertThat(bytes(plain.slice(3, 100_000).duplicate()))
        .isEqualTo(Arrays.copyOfRange(original("plain"), 3, 100_003));
    MemorySegment memory = MemorySegment.ofBuffer(plain);
    plain = null;
    System.gc();
    assertThat(memory.asSlice(7, 50).toArray(JAVA_BYTE))
        .isEqualTo(Arrays.copyOfRange(original("plain"), 7, 57));
  }

  @Test
  void anArenasMemoryOutlivesTheImageAndEndsWithTheArena() throws IOException {
    MemorySegment memory;
    try (Arena arena = Arena.ofShared()) {
      memory = all("plain", arena);
      image.close();
      assertThat(memory.toArray(JAVA_BYTE)).isEqualTo(original("plain"));
    }
    assertThatIllegalStateException().isThrownBy(() -> memory.get(JAVA_BYTE, 0));
    assertThat(ProcMaps.containing(packed.toString())).isEmpty();
  }

  @Test
  void aPrivateStoreIsSeenByItsOwnerAlone() throws IOException {
    byte[] before = Files.readAllBytes(packed);
    Inode file = inode("scattered");
    try (Arena arena = Arena.ofShared()) {
      MemorySegment mine = image.mapCopyOnWrite(file, 10, file.size() - 10, arena);
      MemorySegment other = image.mapCopyOnWrite(file, 0, file.size(), arena);
      mine.fill((byte) 0x5a);
      byte[] filled = new byte[(int) file.size() - 10];
      Arrays.fill(filled, (byte) 0x5a);
      assertThat(mine.toArray(JAVA_BYTE)).isEqualTo(filled);
      assertThat(other.toArray(JAVA_BYTE)).isEqualTo(original("scattered"));
      assertThat(bytes(all("scattered"))).isEqualTo(original("scattered"));
    }
    assertThat(Files.readAllBytes(packed)).isEqualTo(before);
  }

  @Test
  void privateMemoryIsOfTheImageThatWasOpenedWhateverHasItsNameNow() throws IOException {
    Path other = Files.writeString(folder.resolve("other"), "x".repeat(10_000_000));
    Files.move(other, packed, StandardCopyOption.REPLACE_EXISTING);
    try (Arena arena = Arena.ofShared()) {
      Inode file = inode("plain");
      assertThat(image.mapCopyOnWrite(file, 0, file.size(), arena).toArray(JAVA_BYTE))
          .isEqualTo(original("plain"));
    }
  }

  @Test
  void anInterruptOfOneThreadKeepsNoOtherFromMapping() throws IOException {
    Inode file = inode("hello.txt");
    Thread.currentThread().interrupt();
    assertThatExceptionOfType(ClosedByInterruptException.class)
        .isThrownBy(() -> image.map(file, 0, 6));
    assertThat(Thread.interrupted()).isTrue();
    try (Arena arena = Arena.ofConfined()) {
      byte[] expected = original("hello.txt");
      assertThat(bytes(image.map(file, 0, 6))).isEqualTo(expected);
      assertThat(image.map(file, 0, 6, arena).toArray(JAVA_BYTE)).isEqualTo(expected);
      assertThat(image.mapCopyOnWrite(file, 0, 6, arena).toArray(JAVA_BYTE)).isEqualTo(expected);
    }
  }

  @Test
  void aCutImageIsACheckedExceptionOrZerosAndNeverTheEndOfTheJvm() throws IOException {
    try (Arena arena = Arena.ofShared()) {
      MappedByteBuffer buffer = all("plain");
      MemorySegment memory = all("scattered", arena);
      MemorySegment mine = image.mapCopyOnWrite(inode("plain"), 0, inode("plain").size(), arena);
      mine.set(JAVA_BYTE, 5 * PAGE, (byte) 1);
      try (FileChannel channel = FileChannel.open(packed, StandardOpenOption.WRITE)) {
        channel.truncate(PAGE);
      }
      assertThat(bytes(buffer)).containsOnly(0);
      assertThat(memory.toArray(JAVA_BYTE)).containsOnly(0);
      assertThat(mine.get(JAVA_BYTE, 5 * PAGE)).isZero();
      mine.set(JAVA_BYTE, 5 * PAGE, (byte) 2);
      assertThat(mine.get(JAVA_BYTE, 5 * PAGE)).isEqualTo((byte) 2);
      assertCut(() -> all("plain"));
      assertCut(() -> all("scattered", arena));
      assertCut(() -> image.mapCopyOnWrite(inode("plain"), 0, 1, arena));
    }
  }

  private static void assertCut(ThrowingCallable call) {
    assertThatExceptionOfType(CorruptImageException.class)
        .isThrownBy(call)
        .withMessageContaining("truncated while in use");
  }

  @Test
  void whatIsNoRegularFileIsRefusedWithTheReason() {
    assertThatExceptionOfType(FileSystemException.class)
        .isThrownBy(() -> image.map(inode("sub"), 0, 10))
        .withMessageContaining("not a regular file");
  }

  @Test
  void whatIsNotInWholePagesIsRefusedWithTheReasonAndNeverMapped() throws IOException {
    Path small = Images.ext2(tree, folder.resolve("small.img"), "-b", "1024");
    try (OpenImage opened = OpenImage.open(small);
        Arena arena = Arena.ofConfined()) {
      Inode file = PathResolver.resolve(opened.image(), "plain", true);
      for (ThrowingCallable map :
          List.<ThrowingCallable>of(
              () -> opened.map(file, 0, 10),
              () -> opened.map(file, 0, 10, arena),
              () -> opened.mapCopyOnWrite(file, 0, 10, arena))) {
        assertThatExceptionOfType(FileSystemException.class)
            .isThrownBy(map)
            .withMessageContaining("cannot be mapped: " + Verdict.SMALL_BLOCKS.reason());
      }
    }
  }

  @Test
  void aPartThatPassesTheEndIsRefused() {
    for (long[] part : new long[][] {{0, 7}, {7, 0}, {6, 1}, {Long.MAX_VALUE, 1}}) {
      assertThatExceptionOfType(IOException.class)
          .isThrownBy(() -> image.map(inode("hello.txt"), part[0], (int) part[1]))
          .withMessageContaining("expected inside its 0x6 bytes");
    }
  }

  @Test
  void filesOfAnImageInSegmentsAreMappedAcrossTheSegments() throws IOException {
    Path whole = SplitImages.image(Files.createDirectory(folder.resolve("split")));
    long[] cuts;
    try (OpenImage opened = OpenImage.open(whole)) {
      cuts = SplitImages.cuts(opened.image(), false);
    }
    SegmentStore store = SegmentStore.create(folder.resolve("store"));
    List<SegmentName> names = new ArrayList<>();
    for (SplitImages.Piece piece : SplitImages.pieces(whole, cuts)) {
      long first = piece.address() / PAGE;
      long last = first + Files.size(piece.file()) / PAGE - 1;
      names.add(new SegmentName("PART" + names.size()));
      store.define(
          new SegmentDefinition(
              names.getLast(), List.of(new SegmentPart(SegmentType.SR, first, last))),
          SegmentSource.moving(piece.file()));
    }
    try (OpenImage segments = OpenImage.open(store, names);
        Arena arena = Arena.ofConfined()) {
      for (String path : List.of("large", "larger")) {
        Inode file = PathResolver.resolve(segments.image(), path, true);
        byte[] expected = Files.readAllBytes(folder.resolve("split/tree").resolve(path));
        assertThat(bytes(segments.map(file, 0, expected.length))).isEqualTo(expected);
        assertThat(segments.map(file, 1, file.size() - 1, arena).toArray(JAVA_BYTE))
            .isEqualTo(Arrays.copyOfRange(expected, 1, expected.length));
        MemorySegment mine = segments.mapCopyOnWrite(file, 0, file.size(), arena);
        mine.set(JAVA_BYTE, 0, (byte) ~expected[0]);
        assertThat(mine.asSlice(1).mismatch(MemorySegment.ofArray(expected).asSlice(1)))
            .isEqualTo(-1);
      }
    }
  }
}
