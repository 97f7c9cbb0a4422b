package dev.xip.hold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Errno;
import dev.xip.host.LocalSocket;
import dev.xip.host.OpenFolder;
import dev.xip.segment.SegmentDefinition;
import dev.xip.segment.SegmentException;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentPart;
import dev.xip.segment.SegmentSource;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.SegmentType;
import dev.xip.segment.SharingMode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A held segment serves the requests of other processes through its socket. */
class HeldSegmentTest {
  private static final SegmentName ONE = new SegmentName("ONE");
  private static final long PID = ProcessHandle.current().pid();

  @TempDir Path temp;
  private SegmentStore store;

  @BeforeEach
  void define() throws IOException {
    store = SegmentStore.create(temp.resolve("store"));
    define(store);
  }

  private static void define(SegmentStore store) throws IOException {
    SegmentPart part = SegmentPart.of(SegmentType.SW, 0x100000, 0x100000);
    store.define(SegmentDefinition.of(ONE, List.of(part)), SegmentSource.zeros());
  }

  private SegmentHolder holder() throws IOException {
    return SegmentHolder.find(store, ONE, OptionalLong.empty());
  }

  @Test
  void aSaveStoresWhatStandsInTheHoldersMemory() throws Exception {
    try (HeldSegment held = HeldSegment.load(store, ONE, SharingMode.SHARED)) {
      Files.writeString(store.query(ONE).dataFile(), "stored by another", StandardOpenOption.WRITE);
      assertThat(holder().save()).isEqualTo(2);
      assertThat(held.segment().version()).isEqualTo(1);
    }
    assertThat(store.query(ONE).dataFile()).content().startsWith("stored by another");
  }

  @Test
  void aChangeOfTheModeLoadsTheNewestVersion() throws Exception {
    try (HeldSegment held = HeldSegment.load(store, ONE, SharingMode.SHARED)) {
      store.save(ONE, SegmentSource.zeros());
      assertThat(holder().modify(SharingMode.EXCLUSIVE)).isEqualTo(2);
      assertThat(held.segment().mode()).isEqualTo(SharingMode.EXCLUSIVE);
      assertThat(holder().modify(SharingMode.SHARED)).isEqualTo(2);
      assertThat(held.segment().mode()).isEqualTo(SharingMode.SHARED);
    }
  }

  @Test
  void anUnloadEndsTheHold() throws Exception {
    try (HeldSegment held = HeldSegment.load(store, ONE, SharingMode.SHARED)) {
      assertThat(holder().pid()).isEqualTo(PID);
      assertThat(holder().unload()).isEqualTo(1);
      held.await();
      assertThat(held.segment().references()).isZero();
      assertThat(Files.exists(held.socket().orElseThrow())).isFalse();
      assertThat(store.survey().segments().getFirst().users()).isEmpty();
    }
  }

  @Test
  void aSegmentThatCannotBeLoadedAgainEndsTheHoldWithTheReason() throws Exception {
    try (HeldSegment held = HeldSegment.load(store, ONE, SharingMode.SHARED)) {
      store.remove(ONE);
      assertThatThrownBy(() -> holder().modify(SharingMode.EXCLUSIVE))
          .hasMessageStartingWith("ENOENT: segment ONE was unloaded");
      assertThatThrownBy(held::await).hasMessageStartingWith("ENOENT: segment ONE was unloaded");
    }
  }

  @Test
  void aFailedSaveIsToldAndTheHoldGoesOn() throws Exception {
    SegmentPart part = SegmentPart.of(SegmentType.SN, 0x200000, 0x200000);
    SegmentName two = new SegmentName("TWO");
    store.define(SegmentDefinition.of(two, List.of(part)), SegmentSource.zeros());
    try (HeldSegment held = HeldSegment.load(store, two, SharingMode.SHARED)) {
      SegmentHolder holder = SegmentHolder.find(store, two, OptionalLong.of(PID));
      assertThatThrownBy(holder::save).hasMessageStartingWith("EINVAL: ");
      assertThat(held.isLoaded()).isTrue();
    }
  }

  @Test
  void withoutAHolderThereIsNoProcessToAsk() {
    assertThatThrownBy(this::holder)
        .isInstanceOfSatisfying(
            SegmentException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL))
        .hasMessage("EINVAL: segment ONE: not held by any process");
  }

  @Test
  void anotherProcessThanTheOneNamedIsNotAsked() throws Exception {
    try (HeldSegment _ = HeldSegment.load(store, ONE, SharingMode.SHARED)) {
      assertThatThrownBy(() -> SegmentHolder.find(store, ONE, OptionalLong.of(1)))
          .hasMessage("EINVAL: segment ONE: not held by process 1, but by " + PID);
    }
  }

  @Test
  void theSocketIsForItsOwnerAlone() throws Exception {
    try (HeldSegment held = HeldSegment.load(store, ONE, SharingMode.SHARED)) {
      Path socket = held.socket().orElseThrow();
      assertThat(socket).isEqualTo(store.folder().resolve("ONE." + PID + ".hold"));
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
          .isEqualTo("rw-------");
      assertThat(store.check()).isEmpty();
    }
    assertThat(store.folder()).isDirectoryNotContaining("glob:**.hold*");
  }

  @Test
  void theStoreMayLieDeeperThanAnAddressOfASocketReaches() throws Exception {
    Path deep = temp.resolve("d".repeat(200)).resolve("e".repeat(200));
    store = SegmentStore.create(deep);
    define(store);
    try (HeldSegment _ = HeldSegment.load(store, ONE, SharingMode.SHARED)) {
      assertThat(holder().unload()).isEqualTo(1);
    }
  }

  @Test
  void aHolderThatWasKilledIsPassedOverAndItsSocketGoes() throws Exception {
    // A listener that is closed leaves its file, as one that is killed does.
    leaveSocket();
    Path left = socketFile();
    assertThat(SegmentHolder.check(store))
        .singleElement()
        .matches(finding -> finding.file().equals(left) && finding.leftover());
    assertThatThrownBy(this::holder).hasMessageContaining("not held by any process");
    assertThat(left).doesNotExist();
    leaveSocket();
    assertThat(SegmentHolder.clean(store)).containsExactly(left);
    assertThat(left).doesNotExist();
  }

  @Test
  void aSegmentIsHeldWithoutASocketWhereNoneCanBeMade() throws Exception {
    Files.createDirectory(socketFile());
    try (HeldSegment held = HeldSegment.load(store, ONE, SharingMode.SHARED)) {
      assertThat(held.socket()).isEmpty();
      assertThat(held.unreachable()).isPresent();
      assertThat(held.isLoaded()).isTrue();
    }
  }

  @Test
  void aSecondHoldInOneProcessDoesNotTakeTheFirstOnesSocket() throws Exception {
    try (HeldSegment first = HeldSegment.load(store, ONE, SharingMode.SHARED)) {
      HeldSegment.load(store, ONE, SharingMode.SHARED).close();
      assertThat(holder().unload()).isEqualTo(1);
      assertThat(first.isLoaded()).isFalse();
    }
  }

  private Path socketFile() {
    return store.folder().resolve(HoldSocket.file(ONE, PID).toString());
  }

  private void leaveSocket() throws IOException {
    try (OpenFolder folder = OpenFolder.open(store.folder())) {
      HoldSocket.listen(folder, ONE).close();
    }
  }

  private LocalSocket connect() throws IOException {
    try (OpenFolder folder = OpenFolder.open(store.folder())) {
      return LocalSocket.connect(folder, HoldSocket.file(ONE, PID));
    }
  }

  @Test
  void whoAsksForNothingThatThereIsIsToldSo() throws Exception {
    try (HeldSegment _ = HeldSegment.load(store, ONE, SharingMode.SHARED);
        LocalSocket channel = connect()) {
      HoldLine.send(channel, "frobnicate");
      HoldLine answer = new HoldLine();
      while (!answer.isComplete()) {
        answer.receive(channel);
      }
      assertThat(answer.text())
          .isEqualTo(
              "failed EINVAL: segment ONE: expected modify SHARED, modify EXCLUSIVE, save or"
                  + " unload, found 'frobnicate'");
    }
  }

  @Test
  void aSilentClientKeepsNoOtherWaiting() throws Exception {
    try (HeldSegment _ = HeldSegment.load(store, ONE, SharingMode.SHARED);
        LocalSocket _ = connect()) {
      assertThat(holder().unload()).isEqualTo(1);
    }
  }
}
