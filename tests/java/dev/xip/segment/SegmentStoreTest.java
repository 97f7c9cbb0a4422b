package dev.xip.segment;

import static dev.xip.segment.SegmentNameTest.refused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.host.HostFile;
import dev.xip.testing.Judge;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SegmentStoreTest {
  private static final SegmentName A = new SegmentName("A");
  private static final SegmentName B = new SegmentName("B");

  @TempDir Path temp;
  private Path folder;
  private SegmentStore store;

  @BeforeEach
  void makeStore() throws SegmentException {
    folder = temp.resolve("deep/store");
    store = SegmentStore.create(folder);
  }

  static SegmentDefinition definition(SegmentName name, SegmentType type, long page, long pages) {
    return new SegmentDefinition(name, List.of(new SegmentPart(type, page, page + pages - 1)));
  }

  private Path fileOf(byte[] bytes) throws IOException {
    return Files.write(Files.createTempFile(temp, "source", ".img"), bytes);
  }

  private static byte[] random(int bytes) {
    byte[] filled = new byte[bytes];
    new Random(bytes).nextBytes(filled);
    return filled;
  }

  private Set<String> files() throws IOException {
    try (Stream<Path> list = Files.list(folder)) {
      Set<String> names = new TreeSet<>(list.map(each -> each.getFileName().toString()).toList());
      names.remove(StoreFile.LOCK);
      return names;
    }
  }

  private static long storage(Path file) throws IOException {
    try (HostFile open = HostFile.openReadOnly(file)) {
      return 512 * open.stat().blocks512();
    }
  }

  @Test
  void aMissingFolderIsNotOpened() {
    refused(() -> SegmentStore.open(temp.resolve("none")), Errno.ENOENT, "expected a folder");
  }

  @Test
  void aFileIsNotOpenedAsAStore() throws IOException {
    Path file = fileOf(new byte[1]);
    refused(() -> SegmentStore.open(file), Errno.ENOTDIR, "expected a folder, found a file");
    refused(() -> SegmentStore.create(file.resolve("x")), Errno.ENOTDIR, file.toString());
  }

  @Test
  void aStoreThatExistsIsCreatedAgainAsItIs() throws SegmentException {
    store.define(definition(A, SegmentType.SR, 0x100000, 1), SegmentSource.zeros());
    assertThat(SegmentStore.create(folder).list().segments()).hasSize(1);
  }

  @Test
  void zerosTakeNoSpace() throws IOException {
    StoredSegment stored =
        store.define(definition(A, SegmentType.SW, 0x100000, 1 << 21), SegmentSource.zeros());
    assertThat(Files.size(stored.dataFile())).isEqualTo(8L << 30);
    assertThat(storage(stored.dataFile())).isZero();
  }

  @Test
  void aDefinedSegmentIsFoundByAnotherStoreObject() throws SegmentException {
    StoredSegment stored =
        store.define(definition(A, SegmentType.SR, 0x100000, 3), SegmentSource.zeros());
    assertThat(SegmentStore.open(folder).query(A)).isEqualTo(stored);
    assertThat(stored.version()).isEqualTo(1);
  }

  @Test
  void aCopyHasTheBytesAndThenZeros() throws IOException {
    byte[] bytes = random(3 * 4096 + 17);
    StoredSegment stored =
        store.define(
            definition(A, SegmentType.SR, 0x100000, 5),
            SegmentSource.copyOf(fileOf(bytes), done -> {}));
    assertThat(Files.readAllBytes(stored.dataFile())).isEqualTo(Arrays.copyOf(bytes, 5 * 4096));
  }

  @Test
  void aCopyLeavesAHoleForEachPageOfZeros() throws IOException {
    byte[] bytes = new byte[3 << 20];
    Arrays.fill(bytes, 4096, 2 * 4096, (byte) 1);
    bytes[2 << 20] = 1;
    bytes[(3 << 20) - 1] = 1;
    StoredSegment stored =
        store.define(
            definition(A, SegmentType.SR, 0x100000, 768),
            SegmentSource.copyOf(fileOf(bytes), done -> {}));
    assertThat(Files.readAllBytes(stored.dataFile())).isEqualTo(bytes);
    assertThat(storage(stored.dataFile())).isEqualTo(3 * Pages.SIZE);
  }

  @Test
  void aCopyReportsItsProgressUpToTheEnd() throws IOException {
    List<Long> told = new ArrayList<>();
    store.define(
        definition(A, SegmentType.SR, 0x100000, 1024),
        SegmentSource.copyOf(fileOf(random((2 << 20) + 5)), told::add));
    assertThat(told).isSorted().last().isEqualTo((2L << 20) + 5);
  }

  @Test
  void aMovedFileIsTheDataFile() throws IOException {
    byte[] bytes = random(5000);
    Path source = fileOf(bytes);
    Object inode = Files.getAttribute(source, "unix:ino");
    StoredSegment stored =
        store.define(definition(A, SegmentType.SR, 0x100000, 2), SegmentSource.moving(source));
    assertThat(source).doesNotExist();
    assertThat(Files.getAttribute(stored.dataFile(), "unix:ino")).isEqualTo(inode);
    assertThat(Files.readAllBytes(stored.dataFile())).isEqualTo(Arrays.copyOf(bytes, 8192));
  }

  @Test
  void aFileStaysWhereItIsIfItCannotBeMoved() throws IOException {
    Path source = fileOf(random(8193));
    refused(
        () ->
            store.define(definition(A, SegmentType.SR, 0x100000, 2), SegmentSource.moving(source)),
        Errno.EINVAL,
        "expected at most 0x2000 bytes, the segment's size, found 0x2001 bytes");
    assertThat(Files.size(source)).isEqualTo(8193);
    assertThat(files()).isEmpty();
  }

  @Test
  void aFileOnAnotherFileSystemIsNotMoved() throws IOException {
    Path shm = Path.of("/dev/shm");
    Judge.needs(
        Files.isWritable(shm) && !Files.getFileStore(shm).equals(Files.getFileStore(folder)),
        "a second file system, /dev/shm, to move a file from");
    Path source = Files.write(Files.createTempFile(shm, "xip", ".img"), new byte[4096]);
    try {
      refused(
          () ->
              store.define(
                  definition(A, SegmentType.SR, 0x100000, 1), SegmentSource.moving(source)),
          Errno.EXDEV,
          source.toString());
      assertThat(source).exists();
    } finally {
      Files.deleteIfExists(source);
    }
  }

  @Test
  void aSourceThatIsMissingOrNoFileLeavesTheStoreAsItWas() throws IOException {
    SegmentDefinition definition = definition(A, SegmentType.SR, 0x100000, 1);
    refused(
        () -> store.define(definition, SegmentSource.copyOf(temp.resolve("none"), done -> {})),
        Errno.ENOENT,
        "none");
    refused(
        () -> store.define(definition, SegmentSource.copyOf(temp, done -> {})),
        Errno.EINVAL,
        "expected a regular file, found a directory");
    assertThat(files()).isEmpty();
  }

  @Test
  void aNameThatIsTakenIsRefused() throws SegmentException {
    store.define(definition(A, SegmentType.SR, 0x100000, 1), SegmentSource.zeros());
    refused(
        () -> store.define(definition(A, SegmentType.SW, 0x200000, 9), SegmentSource.zeros()),
        Errno.EEXIST,
        "a segment of that name");
    assertThat(store.query(A).definition().type()).isEqualTo(SegmentType.SR);
  }

  @Test
  void typesThatKeepNothingTakeNoContents() throws IOException {
    Path source = fileOf(random(4096));
    refused(
        () ->
            store.define(
                definition(A, SegmentType.SN, 0x100000, 1),
                SegmentSource.copyOf(source, done -> {})),
        Errno.EINVAL,
        "type SN keeps none");
  }

  @Test
  void aSaveMakesAVersionAndDropsTheOneBefore() throws IOException {
    store.define(
        definition(A, SegmentType.SR, 0x100000, 1),
        SegmentSource.copyOf(fileOf(random(100)), done -> {}));
    byte[] bytes = random(4096);
    StoredSegment saved = store.save(A, SegmentSource.copyOf(fileOf(bytes), done -> {}));
    assertThat(saved.version()).isEqualTo(2);
    assertThat(store.query(A)).isEqualTo(saved);
    assertThat(Files.readAllBytes(saved.dataFile())).isEqualTo(bytes);
    assertThat(files()).containsExactly("A.2.data", "A.def");
  }

  @Test
  void aSaveThatFailsLeavesTheVersionBefore() throws IOException {
    StoredSegment before =
        store.define(definition(A, SegmentType.SR, 0x100000, 1), SegmentSource.zeros());
    Path source = fileOf(random(4097));
    refused(
        () -> store.save(A, SegmentSource.copyOf(source, done -> {})),
        Errno.EINVAL,
        "found 0x1001 bytes");
    assertThat(store.query(A)).isEqualTo(before);
    assertThat(files()).containsExactly("A.1.data", "A.def");
  }

  @Test
  void filesOfADeadWriterAreOverwrittenAndSwept() throws IOException {
    store.define(definition(A, SegmentType.SR, 0x100000, 1), SegmentSource.zeros());
    Files.write(folder.resolve("A.2.data"), random(9000));
    Files.write(folder.resolve("A.5.new"), random(10));
    Files.write(folder.resolve("A.7.data"), random(10));
    StoredSegment saved = store.save(A, SegmentSource.zeros());
    assertThat(Files.readAllBytes(saved.dataFile())).isEqualTo(new byte[4096]);
    assertThat(files()).containsExactly("A.2.data", "A.def");
  }

  @Test
  void anUnknownSegmentIsReportedAsSuch() {
    refused(() -> store.query(A), Errno.ENOENT, "segment A");
    refused(() -> store.remove(A), Errno.ENOENT, "removing segment A");
    refused(() -> store.save(A, SegmentSource.zeros()), Errno.ENOENT, "segment A");
  }

  @Test
  void aRemovedSegmentLeavesNothing() throws IOException {
    store.define(definition(A, SegmentType.SR, 0x100000, 1), SegmentSource.zeros());
    store.define(definition(B, SegmentType.SR, 0x100000, 1), SegmentSource.zeros());
    store.remove(A);
    assertThat(files()).containsExactly("B.1.data", "B.def");
  }

  @Test
  void theListIsSortedAndShowsDamageBesideTheRest() throws IOException {
    store.define(definition(B, SegmentType.SR, 0x100000, 1), SegmentSource.zeros());
    store.define(definition(A, SegmentType.SR, 0x100000, 1), SegmentSource.zeros());
    SegmentName bad = new SegmentName("BAD");
    store.define(definition(bad, SegmentType.SR, 0x100000, 1), SegmentSource.zeros());
    Path file = folder.resolve("BAD.def");
    try (RandomAccessFile cut = new RandomAccessFile(file.toFile(), "rw")) {
      cut.setLength(20);
    }
    Files.write(folder.resolve("lower.def"), new byte[0]);

    SegmentStore.Listing listing = store.list();
    assertThat(listing.segments()).extracting(StoredSegment::name).containsExactly(A, B);
    assertThat(listing.damaged())
        .hasSize(2)
        .allSatisfy(e -> assertThat(e.errno()).isEqualTo(Errno.EIO));
    assertThat(listing.damaged().getFirst()).hasMessageContaining(file + ": at byte 0xe");
    assertThat(listing.damaged().getLast()).hasMessageContaining("lower.def: at byte 0x0");
  }

  @Test
  void aDamagedSegmentIsNeitherSavedNorRedefinedButCanBeRemoved() throws IOException {
    store.define(definition(A, SegmentType.SR, 0x100000, 1), SegmentSource.zeros());
    Files.write(folder.resolve("A.def"), new byte[10]);
    refused(() -> store.query(A), Errno.EIO, "A.def: at byte 0x0");
    refused(() -> store.save(A, SegmentSource.zeros()), Errno.EIO, "A.def: at byte 0x0");
    refused(
        () -> store.define(definition(A, SegmentType.SR, 1, 1), SegmentSource.zeros()),
        Errno.EEXIST,
        "a segment of that name");
    store.remove(A);
    assertThat(files()).isEmpty();
  }

  @Test
  void theFirstPlaceIsAboveUsualRam() throws SegmentException {
    assertThat(store.place(A, SegmentType.SR, 4097))
        .isEqualTo(definition(A, SegmentType.SR, 0x100000, 2));
  }

  @Test
  void aPlaceSharesNoMegabyteWithAnyDefinition() throws SegmentException {
    store.define(definition(A, SegmentType.SR, 0x100001, 1), SegmentSource.zeros());
    store.define(definition(B, SegmentType.SR, 0x1003ff, 2), SegmentSource.zeros());
    SegmentName c = new SegmentName("C");
    assertThat(store.place(c, SegmentType.SR, (2 << 20) - 1).firstPage()).isEqualTo(0x100100);
  }

  @Test
  void aPlaceForTwoMegabytesIsAMultipleOfThem() throws SegmentException {
    store.define(definition(A, SegmentType.SR, 0x100000, 1), SegmentSource.zeros());
    store.define(definition(B, SegmentType.SR, 0x100400, 0x400), SegmentSource.zeros());
    SegmentName c = new SegmentName("C");
    assertThat(store.place(c, SegmentType.SR, 2 << 20).firstPage()).isEqualTo(0x100200);
    assertThat(store.place(c, SegmentType.SR, (2 << 20) + 1).firstPage()).isEqualTo(0x100800);
  }

  @Test
  void placesThatDoNotExistAreRefused() {
    refused(() -> store.place(A, SegmentType.SR, 0), Errno.EINVAL, "at least 1 byte, found 0");
    refused(() -> store.place(A, SegmentType.SR, 1L << 52), Errno.ERANGE, "a page outside");
    refused(() -> store.place(A, SegmentType.SR, Long.MAX_VALUE), Errno.ERANGE, "a page outside");
  }

  @Test
  void definitionsMayOverlap() throws SegmentException {
    store.define(definition(A, SegmentType.SR, 0x100000, 8), SegmentSource.zeros());
    store.define(definition(B, SegmentType.SR, 0x100004, 8), SegmentSource.zeros());
    assertThat(store.list().segments()).hasSize(2);
  }

  @Test
  void writersInManyThreadsMakeOneVersionEach() throws Exception {
    store.define(definition(A, SegmentType.SR, 0x100000, 1), SegmentSource.zeros());
    List<Thread> writers = new ArrayList<>();
    List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
    for (int i = 0; i < 4; i++) {
      writers.add(
          Thread.ofPlatform()
              .uncaughtExceptionHandler((thread, e) -> failures.add(e))
              .start(
                  () -> {
                    try {
                      SegmentStore mine = SegmentStore.open(folder);
                      for (int n = 0; n < 10; n++) {
                        mine.save(A, SegmentSource.zeros());
                        mine.query(A);
                      }
                    } catch (SegmentException e) {
                      failures.add(e);
                    }
                  }));
    }
    for (Thread writer : writers) {
      writer.join();
    }
    assertThat(failures).isEmpty();
    assertThat(store.query(A).version()).isEqualTo(41);
    assertThat(files()).containsExactly("A.41.data", "A.def");
  }
}
