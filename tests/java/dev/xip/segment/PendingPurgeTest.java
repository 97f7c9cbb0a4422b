package dev.xip.segment;

import static dev.xip.segment.SegmentStoreTest.definition;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.host.HostFile;
import dev.xip.phys.PhysicalMemory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Versions that a save or remove has replaced, and their users. */
class PendingPurgeTest extends LoaderFixture {
  private PhysicalMemory otherMemory;
  private SegmentLoader other;

  @BeforeEach
  void bootAnother() throws IOException {
    otherMemory = PhysicalMemory.boot(WINDOW, RAM);
    other = new SegmentLoader(SegmentStore.open(store.folder()), otherMemory);
  }

  @AfterEach
  void closeTheOther() {
    otherMemory.close();
  }

  private Set<String> files() throws IOException {
    try (Stream<Path> list = Files.list(store.folder())) {
      Set<String> names = new TreeSet<>(list.map(each -> each.getFileName().toString()).toList());
      names.remove(StoreFile.LOCK);
      return names;
    }
  }

  private static SegmentUser me(SharingMode mode) {
    return new SegmentUser(ProcessHandle.current().pid(), mode);
  }

  @Test
  void aSurveyListsUsersByProcessAndMode() throws IOException {
    StoredSegment a = define(A, SegmentType.SR, PLACE, 1);
    StoredSegment b = define(B, SegmentType.SR, PLACE + 0x100, 1);
    loader.load(A, SharingMode.SHARED);
    loader.load(A, SharingMode.SHARED);
    other.load(A, SharingMode.EXCLUSIVE);
    SegmentStore.Survey survey = store.survey();
    assertThat(survey.segments())
        .containsExactly(
            new SegmentState(a, false, List.of(me(SharingMode.SHARED), me(SharingMode.EXCLUSIVE))),
            new SegmentState(b, false, List.of()));
    assertThat(survey.damaged()).isEmpty();
    other.unload(A);
    assertThat(store.survey().segments().getFirst().users())
        .containsExactly(me(SharingMode.SHARED));
  }

  @Test
  void manyUsersAreAllFound() throws Exception {
    StoredSegment a = define(A, SegmentType.SR, PLACE, 1);
    List<DataUse> uses = new ArrayList<>();
    try (StoreFolder folder = StoreFolder.open(store.folder())) {
      for (int i = 0; i < 300; i++) {
        SharingMode mode = i % 3 == 0 ? SharingMode.EXCLUSIVE : SharingMode.SHARED;
        uses.add(DataUse.begin(folder, a, mode, WaitLimit.DEFAULT));
      }
    }
    List<SegmentUser> users = store.survey().segments().getFirst().users();
    assertThat(users).hasSize(300);
    assertThat(users.stream().filter(me(SharingMode.EXCLUSIVE)::equals)).hasSize(100);
    uses.forEach(DataUse::close);
    assertThat(store.survey().segments().getFirst().users()).isEmpty();
  }

  @Test
  void aSaveLeavesTheVersionBeforeUntilItsLastUserLeaves() throws IOException {
    StoredSegment before = define(A, SegmentType.SR, PLACE, 1);
    loader.load(A, SharingMode.SHARED);
    other.load(A, SharingMode.SHARED);
    StoredSegment after = store.save(A, SegmentSource.zeros());
    assertThat(files()).containsExactly("A.1.data", "A.1.purge", "A.2.data", "A.def");
    assertThat(store.survey().segments())
        .containsExactly(
            new SegmentState(before, true, List.of(me(SharingMode.SHARED), me(SharingMode.SHARED))),
            new SegmentState(after, false, List.of()));
    loader.unload(A);
    assertThat(files()).contains("A.1.data", "A.1.purge");
    other.unload(A);
    assertThat(files()).containsExactly("A.2.data", "A.def");
  }

  @Test
  void eachOfSeveralVersionsIsDeletedWithItsOwnLastUser() throws IOException {
    define(A, SegmentType.SR, PLACE, 1);
    loader.load(A, SharingMode.SHARED);
    store.save(A, SegmentSource.zeros());
    other.load(A, SharingMode.SHARED);
    store.save(A, SegmentSource.zeros());
    assertThat(files())
        .containsExactly("A.1.data", "A.1.purge", "A.2.data", "A.2.purge", "A.3.data", "A.def");
    other.unload(A);
    assertThat(files()).containsExactly("A.1.data", "A.1.purge", "A.3.data", "A.def");
    loader.unload(A);
    assertThat(files()).containsExactly("A.3.data", "A.def");
  }

  @Test
  void aRemovedSegmentStaysForThoseWhoHaveItAndIsNotLoadedAnyMore() throws IOException {
    byte[] content = new byte[4096];
    content[7] = 9;
    StoredSegment stored = defineBytes(A, SegmentType.SR, content);
    SavedSegment held = loader.load(A, SharingMode.SHARED);
    store.remove(A);
    assertThat(get(bytes(memory, held), 7)).isEqualTo((byte) 9);
    assertThat(store.list().segments()).isEmpty();
    assertThat(store.survey().segments())
        .containsExactly(new SegmentState(stored, true, List.of(me(SharingMode.SHARED))));
    loader.unload(A);
    assertThat(files()).isEmpty();
  }

  @Test
  void aNameDefinedAnewCountsOnFromWhatStillHasUsers() throws IOException {
    define(A, SegmentType.SR, PLACE, 1);
    SavedSegment old = loader.load(A, SharingMode.SHARED);
    store.remove(A);
    assertThat(define(A, SegmentType.EW, PLACE, 2).version()).isEqualTo(2);
    other.load(A, SharingMode.SHARED);
    assertThat(store.survey().segments())
        .extracting(SegmentState::pendingPurge)
        .containsExactly(true, false);
    assertThat(old.type()).isEqualTo(SegmentType.SR);
    loader.unload(A);
    other.unload(A);
    assertThat(files()).containsExactly("A.2.data", "A.def");
    store.remove(A);
    assertThat(define(A, SegmentType.SR, PLACE, 1).version()).isEqualTo(1);
  }

  @Test
  void aSaveUnderAVersionThatWasReplacedMakesTheNextOne() throws IOException {
    define(A, SegmentType.EW, PLACE, 1);
    SavedSegment mine = loader.load(A, SharingMode.EXCLUSIVE);
    store.remove(A);
    MemorySegment mem = bytes(memory, mine);
    set(mem, 0, 3);
    assertThat(loader.save(A).version()).isEqualTo(2);
    assertThat(files()).containsExactly("A.1.data", "A.1.purge", "A.2.data", "A.def");
  }

  @Test
  void aLoadThatMetARemoveAndANewDefinitionStartsOver() throws IOException {
    StoredSegment stored = define(A, SegmentType.SR, PLACE, 1);
    try (StoreFolder folder = StoreFolder.open(store.folder());
        DataUse use = DataUse.begin(folder, stored, SharingMode.SHARED, WaitLimit.DEFAULT)) {
      assertThat(use.isStored(folder, stored)).isTrue();
      Files.delete(stored.dataFile());
      assertThat(use.isStored(folder, stored)).isFalse();
      Files.write(stored.dataFile(), new byte[4096]);
      assertThat(use.isStored(folder, stored)).isFalse();
    }
  }

  @Test
  void aUserThatIsKilledIsNoUserAndTheNextChangeSweepsBehindIt() throws Exception {
    StoredSegment stored = define(A, SegmentType.SR, PLACE, 1);
    Process user =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                HoldSegment.class.getName(),
                store.folder().toString(),
                "A")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      assertThat(user.getInputStream().read()).isEqualTo('h');
      store.save(A, SegmentSource.zeros());
      assertThat(store.survey().segments().getFirst())
          .isEqualTo(
              new SegmentState(
                  stored, true, List.of(new SegmentUser(user.pid(), SharingMode.EXCLUSIVE))));
    } finally {
      user.destroyForcibly();
      assertThat(user.waitFor(60, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(store.survey().segments().getFirst())
        .isEqualTo(new SegmentState(stored, true, List.of()));
    assertThat(store.check())
        .extracting(StoreFinding::toString)
        .containsExactly(
            store.folder().resolve("A.1.data") + ": pending purge, but its last user has ended",
            store.folder().resolve("A.1.purge") + ": pending purge, but its last user has ended");
    assertThat(store.clean())
        .containsExactly(store.folder().resolve("A.1.data"), store.folder().resolve("A.1.purge"));
    assertThat(files()).containsExactly("A.2.data", "A.def");
  }

  @Test
  void twoWhoLoadSnAtOnceBothFindZeros() throws Exception {
    define(A, SegmentType.SN, PLACE, 4);
    for (int round = 0; round < 30; round++) {
      Thread first = Thread.ofPlatform().start(() -> load(other));
      SavedSegment mine = loader.load(A, SharingMode.SHARED);
      first.join();
      SavedSegment theirs = other.loaded().getFirst();
      assertThat(get(bytes(memory, mine), 0)).as("round %d", round).isZero();
      assertThat(get(bytes(otherMemory, theirs), 0)).as("round %d", round).isZero();
      set(bytes(memory, mine), 0, 1);
      assertThat(get(bytes(otherMemory, theirs), 0)).as("round %d", round).isEqualTo((byte) 1);
      loader.unload(A);
      other.unload(A);
    }
  }

  private static void load(SegmentLoader loader) {
    try {
      loader.load(A, SharingMode.SHARED);
    } catch (SegmentException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void anSnSegmentWhoseFirstUserDiedWhileItClearedIsClearedByTheNext() throws IOException {
    StoredSegment stored = define(A, SegmentType.SN, PLACE, 2);
    try (HostFile cut = HostFile.openReadWrite(stored.dataFile())) {
      cut.truncate(0);
    }
    SavedSegment loaded = loader.load(A, SharingMode.SHARED);
    assertThat(get(bytes(memory, loaded), 8191)).isZero();
  }

  @Test
  void aWriterThatDiedBeforeTheSwitchLeavesNothingBehindTheNextOne() throws IOException {
    define(A, SegmentType.SR, PLACE, 1);
    Path folder = store.folder();
    Files.createLink(folder.resolve("A.1.purge"), folder.resolve("A.def"));
    Files.write(folder.resolve("A.2.data"), new byte[10]);
    Files.write(
        folder.resolve("A.5.new"),
        DefinitionFile.format(definition(A, SegmentType.SR, PLACE, 1), 2));
    assertThat(store.survey().segments()).hasSize(1);
    assertThat(store.check()).hasSize(3).allMatch(StoreFinding::leftover);
    assertThat(store.save(A, SegmentSource.zeros()).version()).isEqualTo(2);
    assertThat(files()).containsExactly("A.2.data", "A.def");
  }
}
