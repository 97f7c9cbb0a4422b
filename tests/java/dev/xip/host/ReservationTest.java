package dev.xip.host;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.xip.base.Access;
import dev.xip.base.Errno;
import dev.xip.base.LostPages;
import dev.xip.testing.ProcMaps;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ReservationTest {
  private static final long SIZE = 0x10000;

  private Reservation range;
  private HostFile file;

  @BeforeEach
  void reserve() throws IOException {
    range = Reservation.readableZeros(SIZE);
    file = HostFile.memfd("reservation-test");
    file.truncate(0x4000);
    try (Arena arena = Arena.ofConfined()) {
      for (long page = 0; page < 4; page++) {
        MemorySegment number = arena.allocateFrom(JAVA_LONG, 100 + page);
        file.write(page << 12, number);
      }
    }
  }

  @AfterEach
  void giveBack() throws IOException {
    long start = range.isOpen() ? range.address() : 0;
    range.close();
    file.close();
    if (start != 0) {
      assertThat(ProcMaps.overlapping(start, SIZE)).isEmpty();
    }
    assertThat(ProcMaps.containing("memfd:reservation-test")).isEmpty();
  }

  private long first(long offset) {
    return range.memory().get(JAVA_LONG, offset);
  }

  private static void refused(Errno errno, ThrowingCallable call) {
    assertThatExceptionOfType(HostException.class)
        .isThrownBy(call)
        .satisfies(e -> assertThat(e.errno()).isEqualTo(errno));
  }

  @Test
  void aFreshRangeReadsAsZeros() {
    assertThat(range.size()).isEqualTo(SIZE);
    assertThat(range.memory().byteSize()).isEqualTo(SIZE);
    assertThat(range.memory().address()).isEqualTo(range.address());
    assertThat(range.memory().mismatch(MemorySegment.ofArray(new byte[(int) SIZE]))).isEqualTo(-1);
  }

  @Test
  void aHugeRangeTakesNoMemory() throws IOException {
    try (Reservation huge = Reservation.readableZeros(1L << 40)) {
      assertThat(huge.memory().get(JAVA_BYTE, (1L << 40) - 1)).isZero();
    }
  }

  @Test
  void anInaccessibleRangeHasNoRights() throws IOException {
    try (Reservation closed = Reservation.inaccessible(SIZE)) {
      assertThat(ProcMaps.overlapping(closed.address(), SIZE))
          .anyMatch(line -> line.contains("---p"));
      closed.mapAnonymous(0, 0x1000, Access.READ_WRITE);
      closed.memory().set(JAVA_BYTE, 0, (byte) 1);
      assertThat(closed.memory().get(JAVA_BYTE, 0)).isEqualTo((byte) 1);
    }
  }

  @Test
  void aRangeThatCannotBeReservedIsRefused() {
    refused(Errno.ENOMEM, () -> Reservation.inaccessible(1L << 60));
    assertThatIllegalArgumentException().isThrownBy(() -> Reservation.readableZeros(0));
    assertThatIllegalArgumentException().isThrownBy(() -> Reservation.readableZeros(-0x1000));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Reservation.readableZeros(0x1001))
        .withMessageContaining("size 0x1001");
  }

  @Test
  void aFileIsMappedAtItsPlace() throws IOException {
    range.mapFile(0x2000, 0x2000, file, 0x1000, Access.READ, Sharing.SHARED);
    assertThat(first(0x1000)).isZero();
    assertThat(first(0x2000)).isEqualTo(101);
    assertThat(first(0x3000)).isEqualTo(102);
    assertThat(first(0x4000)).isZero();
    assertThat(ProcMaps.overlapping(range.address() + 0x2000, 1))
        .singleElement()
        .asString()
        .contains("r--s 00001000")
        .contains("memfd:reservation-test");
  }

  @Test
  void aSecondFileReplacesThePartItCovers() throws IOException {
    range.mapFile(0, 0x4000, file, 0, Access.READ, Sharing.SHARED);
    range.mapFile(0x1000, 0x1000, file, 0x3000, Access.READ, Sharing.PRIVATE);
    assertThat(first(0)).isEqualTo(100);
    assertThat(first(0x1000)).isEqualTo(103);
    assertThat(first(0x2000)).isEqualTo(102);
  }

  @Test
  void storesToASharedFileAreSeenThroughEveryMapping() throws IOException {
    range.mapFile(0, 0x1000, file, 0, Access.READ_WRITE, Sharing.SHARED);
    range.mapFile(0x8000, 0x1000, file, 0, Access.READ, Sharing.SHARED);
    range.memory().set(JAVA_LONG, 0, 7);
    assertThat(first(0x8000)).isEqualTo(7);
  }

  @Test
  void storesToAPrivateFileStayPrivate() throws IOException {
    range.mapFile(0, 0x1000, file, 0, Access.READ_WRITE, Sharing.PRIVATE);
    range.mapFile(0x8000, 0x1000, file, 0, Access.READ, Sharing.SHARED);
    range.memory().set(JAVA_LONG, 0, 7);
    assertThat(first(0x8000)).isEqualTo(100);
  }

  @Test
  void theLastPageOfAFileCountsAsWhole() throws IOException {
    file.truncate(0x3001);
    range.mapFile(0, 0x4000, file, 0, Access.READ, Sharing.SHARED);
    assertThat(range.memory().get(JAVA_BYTE, 0x3fff)).isZero();
  }

  @Test
  void aFailedMapLeavesWhatWasThere() throws IOException {
    range.mapFile(0, 0x2000, file, 0x2000, Access.READ, Sharing.SHARED);
    String before = ProcMaps.overlapping(range.address(), SIZE).toString();
    try (HostFile readOnly = HostFile.openReadOnly(file.descriptorPath())) {
      refused(
          Errno.EACCES,
          () -> range.mapFile(0, 0x1000, readOnly, 0, Access.READ_WRITE, Sharing.SHARED));
    }
    refused(Errno.ENXIO, () -> range.mapFile(0, 0x2000, file, 0x3000, Access.READ, Sharing.SHARED));
    assertThat(first(0)).isEqualTo(102);
    assertThat(ProcMaps.overlapping(range.address(), SIZE).toString()).isEqualTo(before);
  }

  @Test
  void zerosComeBackAndLeaveNoSeam() throws IOException {
    int before = ProcMaps.overlapping(range.address(), SIZE).size();
    range.mapFile(0x1000, 0x1000, file, 0, Access.READ, Sharing.SHARED);
    range.mapAnonymous(0x4000, 0x2000, Access.READ_WRITE);
    range.memory().set(JAVA_LONG, 0x4000, 7);
    range.mapZeros(0x1000, 0x1000);
    range.mapZeros(0x4000, 0x2000);
    assertThat(first(0x1000)).isZero();
    assertThat(first(0x4000)).isZero();
    assertThat(ProcMaps.overlapping(range.address(), SIZE)).hasSize(before);
  }

  @Test
  void anonymousMemoryIsZeroAndWritable() throws IOException {
    range.mapAnonymous(0x1000, 0x1000, Access.READ_WRITE);
    assertThat(first(0x1000)).isZero();
    range.memory().set(JAVA_LONG, 0x1ff8, -1L);
    assertThat(first(0x1ff8)).isEqualTo(-1);
  }

  @Test
  void protectChangesTheRightsOfAPart() throws IOException {
    range.protect(0x1000, 0x1000, Access.READ_WRITE);
    range.memory().set(JAVA_LONG, 0x1000, 5);
    range.protect(0x1000, 0x1000, Access.READ);
    assertThat(ProcMaps.overlapping(range.address() + 0x1000, 1))
        .singleElement()
        .asString()
        .contains("r--p");
    assertThat(first(0x1000)).isEqualTo(5);
  }

  @Test
  void protectRefusesRightsTheFileWasNotOpenedWith() throws IOException {
    try (HostFile readOnly = HostFile.openReadOnly(file.descriptorPath())) {
      range.mapFile(0, 0x1000, readOnly, 0, Access.READ, Sharing.SHARED);
    }
    refused(Errno.EACCES, () -> range.protect(0, 0x1000, Access.READ_WRITE));
  }

  @Test
  void droppedMemoryReadsAsZeros() throws IOException {
    range.mapAnonymous(0, 0x1000, Access.READ_WRITE);
    range.memory().set(JAVA_LONG, 0, 5);
    range.advise(0, 0x1000, Advice.DONTNEED);
    assertThat(first(0)).isZero();
  }

  @Test
  void everyAdviceIsTakenWhereItFits() throws IOException {
    range.mapFile(0, 0x4000, file, 0, Access.READ_WRITE, Sharing.SHARED);
    for (Advice advice : Advice.values()) {
      range.advise(0, 0x4000, advice);
    }
  }

  @Test
  void adviceThatDoesNotFitIsRefused() {
    refused(Errno.EINVAL, () -> range.advise(0, 0x1000, Advice.REMOVE));
  }

  @Test
  void wrongArgumentsAreRefusedBeforeTheSystemIsAsked() throws IOException {
    String before = ProcMaps.overlapping(range.address(), SIZE).toString();
    long[][] wrong = {
      {0x800, 0x1000},
      {0, 0x800},
      {0, 0},
      {0, -0x1000},
      {-0x1000, 0x1000},
      {SIZE, 0x1000},
      {0, SIZE + 0x1000},
      {0x1000, SIZE},
      {0x1000, Long.MAX_VALUE & -0x1000L},
      {Long.MAX_VALUE & -0x1000L, 0x1000}
    };
    for (long[] at : wrong) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> range.mapFile(at[0], at[1], file, 0, Access.READ, Sharing.SHARED));
      assertThatIllegalArgumentException().isThrownBy(() -> range.mapZeros(at[0], at[1]));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> range.mapAnonymous(at[0], at[1], Access.READ));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> range.protect(at[0], at[1], Access.READ));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> range.advise(at[0], at[1], Advice.NORMAL));
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> range.mapFile(0, 0x1000, file, 1, Access.READ, Sharing.SHARED))
        .withMessageContaining("file offset 0x1");
    assertThat(ProcMaps.overlapping(range.address(), SIZE).toString()).isEqualTo(before);
  }

  @Test
  void aPageThatWasCutAwayIsAnErrorAndNoCrash() throws IOException {
    range.mapFile(0, 0x4000, file, 0, Access.READ, Sharing.SHARED);
    file.truncate(0x1000);
    assertThat(first(0)).isEqualTo(100);
    refused(Errno.EFAULT, () -> range.advise(0, 0x4000, Advice.POPULATE_READ));
    assertThat(LostPages.of(range.memory())).isNull();
    assertThat(first(0x1000)).isZero();
    assertThat(LostPages.of(range.memory()).lostFrom()).isEqualTo(range.address() + 0x1000);
    range.mapZeros(0, 0x4000);
    assertThat(first(0x1000)).isZero();
    assertThat(LostPages.of(range.memory())).isNull();
  }

  @Test
  void aFileMappedOverPartOfAnotherLosesNothingWithIt() throws IOException {
    try (HostFile short1 = HostFile.memfd("short")) {
      short1.truncate(0x4000);
      range.mapFile(0, 0x4000, short1, 0, Access.READ_WRITE, Sharing.SHARED);
      range.mapFile(0x1000, 0x1000, file, 0x3000, Access.READ, Sharing.SHARED);
      range.protect(0x2000, 0x1000, Access.READ);
      short1.truncate(0);
      assertThat(first(0)).isZero();
      assertThat(first(0x1000)).isEqualTo(103);
      assertThat(first(0x3000)).isZero();
      range.memory().set(JAVA_LONG, 0x3000, 1);
      long start = range.address();
      assertThat(LostPages.in(start, start + 0x1000)).isNotNull();
      assertThat(LostPages.in(start + 0x1000, start + 0x2000)).isNull();
      assertThat(first(0x2000)).isZero();
      assertThat(LostPages.in(start + 0x2000, start + 0x3000)).isNotNull();
    }
  }

  @Test
  void aMappingThatIsRefusedLeavesTheGuardOfTheOneBefore() throws IOException {
    range.mapFile(0, 0x4000, file, 0, Access.READ, Sharing.SHARED);
    try (HostFile readOnly = HostFile.openReadOnly(file.descriptorPath())) {
      refused(
          Errno.EACCES,
          () -> range.mapFile(0, 0x4000, readOnly, 0, Access.READ_WRITE, Sharing.SHARED));
    }
    file.truncate(0);
    assertThat(first(0x1000)).isZero();
    assertThat(LostPages.of(range.memory())).isNotNull();
  }

  @Test
  void closedMemoryCannotBeReached() {
    MemorySegment memory = range.memory();
    range.close();
    range.close();
    assertThat(range.isOpen()).isFalse();
    assertThatIllegalStateException().isThrownBy(() -> memory.get(JAVA_BYTE, 0));
    assertThatIllegalStateException().isThrownBy(() -> range.mapZeros(0, 0x1000));
    assertThatIllegalStateException()
        .isThrownBy(() -> range.mapFile(0, 0x1000, file, 0, Access.READ, Sharing.SHARED));
  }

  @Test
  void memoryIsSharedByAllThreads() throws Exception {
    range.mapAnonymous(0, 0x1000, Access.READ_WRITE);
    Thread writer = new Thread(() -> range.memory().set(JAVA_LONG, 0, 3));
    writer.start();
    writer.join();
    assertThat(first(0)).isEqualTo(3);
  }
}
