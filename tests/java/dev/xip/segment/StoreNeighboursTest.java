package dev.xip.segment;

import static dev.xip.segment.SegmentNameTest.refused;
import static dev.xip.segment.SegmentStoreTest.definition;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Errno;
import dev.xip.host.HostFile;
import dev.xip.testing.Judge;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What other users can do to a store if they may write to its folder, or read its files. */
@Timeout(120)
class StoreNeighboursTest extends LoaderFixture {
  private static final int NOBODY = 65534;

  private Path file(String name) {
    return store.folder().resolve(name);
  }

  private String mode(String name) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file(name)));
  }

  /** Makes something of that kind under a name. */
  private void plant(String kind, String name) throws Exception {
    switch (kind) {
      case "directory" -> Files.createDirectories(file(name).resolve("x"));
      case "link" -> Files.createSymbolicLink(file(name), temp.resolve("elsewhere"));
      default ->
          assertThat(new ProcessBuilder("mkfifo", file(name).toString()).start().waitFor())
              .isZero();
    }
  }

  @Test
  void aLinkInPlaceOfTheDataIsNotClearedThroughByAFirstUser() throws IOException {
    Path precious = Files.writeString(temp.resolve("precious"), "content");
    Path data = define(A, SegmentType.SN, PLACE, 1).dataFile();
    Files.delete(data);
    Files.createSymbolicLink(data, precious);
    refused(() -> loader.load(A, SharingMode.SHARED), Errno.EIO, "found a symbolic link");
    assertThat(precious).hasContent("content");
  }

  @Test
  void aFileWithASecondNameTakesNoStores() throws IOException {
    Path data = define(A, SegmentType.SN, PLACE, 1).dataFile();
    Files.delete(data);
    Path mine = Files.writeString(temp.resolve("mine"), "content");
    Files.createLink(data, mine);
    refused(() -> loader.load(A, SharingMode.SHARED), Errno.EIO, "has several names");
    assertThat(mine).hasContent("content");
  }

  @Test
  void aLinkCalledLikeTheLockLeadsToNothingNew() throws IOException {
    Files.deleteIfExists(file(StoreFile.LOCK));
    Files.createSymbolicLink(file(StoreFile.LOCK), temp.resolve("made"));
    refused(
        () -> define(A, SegmentType.SR, PLACE, 1),
        Errno.EIO,
        "store.lock: expected a regular file");
    assertThat(temp.resolve("made")).doesNotExist();
  }

  @Test
  void aFileOfAStrangerIsNotBelievedUnlessTheFolderIsTheirs() throws IOException {
    Judge.root();
    define(A, SegmentType.SR, PLACE, 1);
    for (String each : List.of("A.1.data", "A.def")) {
      Files.setAttribute(file(each), "unix:uid", NOBODY);
      refused(
          () -> loader.load(A, SharingMode.SHARED),
          Errno.EIO,
          each + ": expected a regular file of user 0, found one of user 65534");
      assertThat(store.check()).isNotEmpty().noneMatch(StoreFinding::leftover);
    }
    Files.setAttribute(store.folder(), "unix:uid", NOBODY);
    assertThat(loader.load(A, SharingMode.SHARED).version()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"directory", "link", "pipe"})
  void whatIsNoFileIsPassedOverAndTold(String kind) throws Exception {
    define(A, SegmentType.SR, PLACE, 1);
    List<String> odd = List.of("A.5.data", "A.1.purge", "A.7.new", "A.8.purge", "B.1.data");
    for (String each : odd) {
      plant(kind, each);
    }
    assertThat(store.save(A, SegmentSource.zeros()).version()).isEqualTo(2);
    assertThat(store.save(A, SegmentSource.zeros()).version()).isEqualTo(3);
    define(B, SegmentType.SR, PLACE + 0x1000, 1);
    assertThat(loader.load(A, SharingMode.SHARED).version()).isEqualTo(3);
    assertThat(store.list().segments()).hasSize(2);
    for (String each : odd) {
      assertThat(store.check())
          .anyMatch(
              found ->
                  found.file().equals(file(each)) && found.problem().contains("a regular file of"));
    }
    store.clean();
    store.remove(A);
    assertThat(temp.resolve("elsewhere")).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"directory", "link", "pipe"})
  void whatStandsForADefinitionIsToldAndTheOthersAreListed(String kind) throws Exception {
    define(A, SegmentType.SR, PLACE, 1);
    plant(kind, "B.def");
    SegmentStore.Listing listing = store.list();
    assertThat(listing.segments()).hasSize(1);
    assertThat(listing.damaged()).singleElement().asString().contains("B.def");
    refused(() -> loader.load(B, SharingMode.SHARED), Errno.EIO, "expected a regular file");
  }

  @Test
  void theLastVersionThatThereCanBeStopsNoSave() throws Exception {
    define(A, SegmentType.SR, PLACE, 1);
    Path last = Files.createFile(file("A." + StoreFile.LAST_VERSION + ".data"));
    Files.createFile(file("A.9" + StoreFile.LAST_VERSION + ".data"));
    try (HostFile used = HostFile.openReadOnly(last)) {
      assertThat(used.tryLockShared(0, 1)).isTrue();
      assertThat(store.save(A, SegmentSource.zeros()).version()).isEqualTo(2);
      assertThat(store.save(A, SegmentSource.zeros()).version()).isEqualTo(1);
    }
    assertThat(store.check())
        .extracting(StoreFinding::problem)
        .contains("no file of a store", "no definition names it");
  }

  @Test
  void theLockIsForThoseWhoMayWriteToTheFolder() throws IOException {
    Files.setPosixFilePermissions(store.folder(), PosixFilePermissions.fromString("rwxr-xr-x"));
    define(A, SegmentType.SR, PLACE, 1);
    assertThat(mode(StoreFile.LOCK)).isEqualTo("rw-------");
    Files.setPosixFilePermissions(store.folder(), PosixFilePermissions.fromString("rwxrwxr-x"));
    store.save(A, SegmentSource.zeros());
    assertThat(mode(StoreFile.LOCK)).isEqualTo("rw-rw----");
  }

  @Test
  void aFileThatWasPutInPlaceOfTheLockKeepsItsPermissions() throws IOException {
    Files.setPosixFilePermissions(store.folder(), PosixFilePermissions.fromString("rwxrwxrwx"));
    Path other = Files.createFile(temp.resolve("other"));
    Files.setPosixFilePermissions(other, PosixFilePermissions.fromString("rw-------"));
    Files.deleteIfExists(file(StoreFile.LOCK));
    Files.createLink(file(StoreFile.LOCK), other);
    define(A, SegmentType.SR, PLACE, 1);
    assertThat(mode(StoreFile.LOCK)).isEqualTo("rw-------");
    Files.delete(other);
    Files.writeString(file(StoreFile.LOCK), "bytes");
    store.save(A, SegmentSource.zeros());
    assertThat(mode(StoreFile.LOCK)).isEqualTo("rw-------");
  }

  @Test
  void aReaderOfTheLockIsWaitedForWithALimitAndNamed() throws IOException {
    define(A, SegmentType.SR, PLACE, 1);
    List<String> told = new ArrayList<>();
    SegmentStore waiting = store.waiting(WaitLimit.of(Duration.ofMillis(1200), told::add));
    String self = "process " + ProcessHandle.current().pid();
    try (HostFile lock = HostFile.openReadOnly(file(StoreFile.LOCK))) {
      assertThat(lock.tryLockShared(0, 1)).isTrue();
      String part = "locked by " + self + ", not released within 1.2 s";
      refused(() -> waiting.save(A, SegmentSource.zeros()), Errno.EBUSY, part);
      assertThat(told)
          .singleElement()
          .asString()
          .contains("waiting for " + self)
          .endsWith("store.lock");
      refused(waiting::check, Errno.EBUSY, part);
      refused(() -> waiting.remove(A), Errno.EBUSY, part);
      assertThat(waiting.survey().segments()).hasSize(1);
      loader.load(A, SharingMode.SHARED);
    }
    assertThat(store.query(A).version()).isEqualTo(1);
    assertThat(store.check()).isEmpty();
  }

  @Test
  void dataOfAPrivateFileIsPrivateAndStaysPrivateInASave() throws IOException {
    Path source = Files.write(temp.resolve("source"), new byte[10]);
    Files.setPosixFilePermissions(source, PosixFilePermissions.fromString("rw-------"));
    SegmentSource copy = SegmentSource.copyOf(source, done -> {});
    store.define(definition(A, SegmentType.SR, PLACE, 1), copy);
    assertThat(mode("A.1.data")).isEqualTo("rw-------");
    store.save(A, SegmentSource.zeros());
    assertThat(mode("A.2.data")).isEqualTo("rw-------");
    Path moved = Files.write(temp.resolve("moved"), new byte[10]);
    Files.setPosixFilePermissions(moved, PosixFilePermissions.fromString("rw-r--r--"));
    store.save(A, SegmentSource.moving(moved));
    assertThat(mode("A.3.data")).isEqualTo("rw-------");
    loader.load(A, SharingMode.EXCLUSIVE);
    store.remove(A);
    loader.save(A);
    assertThat(mode("A.4.data")).isEqualTo("rw-------");
  }

  @Test
  void aDefinitionThatIsPrivateStaysPrivate() throws IOException {
    define(A, SegmentType.SR, PLACE, 1);
    Files.setPosixFilePermissions(file("A.def"), PosixFilePermissions.fromString("rw-------"));
    store.save(A, SegmentSource.zeros());
    assertThat(mode("A.def")).isEqualTo("rw-------");
  }

  @Test
  void noPlaceIsGivenToTwoWhoDefineAtOnce() throws Exception {
    List<Callable<StoredSegment>> definers = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      SegmentName name = new SegmentName("S" + i);
      definers.add(
          () ->
              SegmentStore.open(store.folder())
                  .define(name, SegmentType.SR, 1 << 20, SegmentSource.zeros()));
    }
    try (ExecutorService all = Executors.newFixedThreadPool(8)) {
      for (Future<StoredSegment> each : all.invokeAll(definers)) {
        each.get();
      }
    }
    assertThat(store.check()).as("no two overlap").isEmpty();
    assertThat(store.list().segments()).hasSize(64);
  }

  @Test
  void definitionsThatOverlapAreFound() throws IOException {
    define(A, SegmentType.SR, PLACE, 0x300);
    define(B, SegmentType.SR, PLACE + 0x200, 0x300);
    define(new SegmentName("C"), SegmentType.SR, PLACE + 0x500, 1);
    define(new SegmentName("D"), SegmentType.SR, PLACE + 0x600, 1);
    assertThat(store.check())
        .extracting(StoreFinding::toString)
        .containsExactly(
            file("B.def")
                + ": [0x100200000, 0x100500000) has part of a megabyte of A"
                + " [0x100000000, 0x100300000), so one machine cannot load both");
  }

  @Test
  void sizesThatNoSegmentCanHaveAreRefused() {
    refused(
        () -> store.define(A, SegmentType.SR, Long.MAX_VALUE, SegmentSource.zeros()),
        Errno.ERANGE,
        "a page outside");
    refused(
        () -> store.define(A, SegmentType.SR, -1, SegmentSource.zeros()),
        Errno.EINVAL,
        "at least 1 byte");
    refused(
        () -> SegmentPart.of(SegmentType.SR, 0, Long.MAX_VALUE), Errno.ERANGE, "a page outside");
  }

  @Test
  void thousandsOfLocksAreCountedOnASmallStack() throws IOException {
    StoredSegment stored = define(A, SegmentType.SR, PLACE, 1);
    List<HostFile> files = new ArrayList<>();
    try {
      for (int i = 3000; i > 0; i--) {
        HostFile each = HostFile.openReadOnly(stored.dataFile());
        files.add(each);
        assertThat(each.tryLockShared(StoreFile.FIRST_SLOT + 2 * i, 1)).isTrue();
      }
      Thread counter =
          new Thread(
              null,
              () -> {
                try {
                  assertThat(store.survey().segments().getFirst().users()).hasSize(3000);
                } catch (SegmentException e) {
                  throw new AssertionError(e);
                }
              },
              "counter",
              64 << 10);
      List<Throwable> thrown = new ArrayList<>();
      counter.setUncaughtExceptionHandler((_, e) -> thrown.add(e));
      counter.start();
      counter.join();
      assertThat(thrown).isEmpty();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    } finally {
      files.forEach(HostFile::close);
    }
  }
}
