package dev.xip.host;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.xip.base.Errno;
import dev.xip.testing.Judge;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class HostFileTest {
  @TempDir Path folder;

  private static HostException refusal(Errno errno, ThrowingCallable call) {
    HostException[] caught = new HostException[1];
    assertThatExceptionOfType(HostException.class)
        .isThrownBy(call)
        .satisfies(e -> assertThat(e.errno()).isEqualTo(errno))
        .satisfies(e -> caught[0] = e);
    return caught[0];
  }

  private Path file(String content) throws IOException {
    return Files.writeString(folder.resolve("file"), content);
  }

  @Test
  void aMissingFileIsRefusedWithItsPath() {
    Path absent = folder.resolve("absent");
    HostException refused = refusal(Errno.ENOENT, () -> HostFile.openReadOnly(absent));
    assertThat(refused)
        .hasMessageContaining(absent.toString())
        .hasMessageEndingWith("ENOENT (No such file or directory)");
    assertThat(refused.call()).isEqualTo("open");
    assertThat(refused.number()).isEqualTo(Errno.ENOENT.number());
  }

  @Test
  void aDirectoryIsRefusedWithItsPath() {
    assertThat(refusal(Errno.EISDIR, () -> HostFile.openReadOnly(folder)))
        .hasMessageContaining(folder.toString());
  }

  @Test
  @Timeout(10)
  void aNamedPipeIsRefusedWithoutWaiting() throws Exception {
    Path pipe = folder.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    refusal(Errno.ENODEV, () -> HostFile.openReadOnly(pipe));
  }

  @Test
  void aProgramThatRunsIsNotOpenedForWriting() {
    // A user who may not write the file gets that error first.
    assertThatExceptionOfType(HostException.class)
        .isThrownBy(() -> HostFile.openReadWrite(Path.of("/proc/self/exe")))
        .satisfies(e -> assertThat(e.errno()).isIn(Errno.ETXTBSY, Errno.EACCES, Errno.EROFS));
  }

  @Test
  void aRefusedOpenLeavesNoDescriptor() throws IOException {
    long before = openDescriptors();
    for (int i = 0; i < 50; i++) {
      refusal(Errno.EISDIR, () -> HostFile.openReadOnly(folder));
    }
    assertThat(openDescriptors()).isLessThan(before + 50);
  }

  private static long openDescriptors() throws IOException {
    try (var list = Files.list(Path.of("/proc/self/fd"))) {
      return list.count();
    }
  }

  @Test
  void aNameThatIsNotAsciiIsOpened() throws IOException {
    Judge.needs(
        System.getProperty("sun.jnu.encoding").equals("UTF-8"), "a locale with UTF-8 in LC_ALL");
    Path path = folder.resolve("grün");
    Files.writeString(path, "x");
    try (HostFile file = HostFile.openReadOnly(path)) {
      assertThat(file.size()).isEqualTo(1);
    }
  }

  @Test
  void createMakesAFileWithTheModeAskedFor() throws IOException {
    Path path = folder.resolve("new");
    try (HostFile file = HostFile.create(path, 0600)) {
      assertThat(file.stat().mode() & 0777).isEqualTo(0600);
      assertThat(file.size()).isZero();
    }
    assertThat(path).exists();
  }

  @Test
  void createRefusesANameThatIsTaken() throws IOException {
    Path path = file("kept");
    refusal(Errno.EEXIST, () -> HostFile.create(path, 0600));
    assertThat(path).hasContent("kept");
  }

  @Test
  void statAgreesWithJavaNio() throws IOException {
    Path path = file("content");
    Files.setLastModifiedTime(
        path, FileTime.from(Instant.ofEpochSecond(1_200_000_000, 123_456_789)));
    try (HostFile file = HostFile.openReadOnly(path)) {
      HostStat stat = file.stat();
      Map<String, Object> nio = Files.readAttributes(path, "unix:*");
      FileTime mtime = (FileTime) nio.get("lastModifiedTime");
      FileTime ctime = (FileTime) nio.get("ctime");
      assertThat(stat.dev()).isEqualTo(nio.get("dev"));
      assertThat(stat.ino()).isEqualTo(nio.get("ino"));
      assertThat(stat.size()).isEqualTo(nio.get("size")).isEqualTo(7L);
      assertThat(stat.mode()).isEqualTo(nio.get("mode"));
      assertThat(stat.nlink()).isEqualTo(nio.get("nlink"));
      assertThat(stat.uid()).isEqualTo(nio.get("uid"));
      assertThat(stat.gid()).isEqualTo(nio.get("gid"));
      assertThat(stat.mtimeSeconds()).isEqualTo(mtime.to(TimeUnit.SECONDS));
      assertThat(stat.mtimeNanos()).isEqualTo(mtime.toInstant().getNano()).isEqualTo(123_456_789);
      assertThat(stat.ctimeSeconds()).isEqualTo(ctime.to(TimeUnit.SECONDS));
      assertThat(stat.ctimeNanos()).isEqualTo(ctime.toInstant().getNano());
      assertThat(stat.isRegularFile()).isTrue();
      assertThat(stat.isDirectory()).isFalse();
    }
  }

  @Test
  void timesBefore1970AreNegative() throws IOException {
    // A memory file, because not every file system can store such a time.
    try (HostFile file = HostFile.memfd("old")) {
      Files.setLastModifiedTime(file.descriptorPath(), FileTime.from(Instant.ofEpochSecond(-5)));
      assertThat(file.stat().mtimeSeconds()).isEqualTo(-5);
      assertThat(file.stat().mtimeNanos()).isZero();
    }
  }

  @Test
  void blocksCountTheStorageOfASparseFile() throws IOException {
    try (HostFile file = HostFile.memfd("sparse")) {
      file.truncate(1 << 20);
      assertThat(file.stat().blocks512()).isZero();
      assertThat(file.size()).isEqualTo(1 << 20);
    }
  }

  @Test
  void truncateRefusesANegativeLength() throws IOException {
    try (HostFile file = HostFile.memfd("x")) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> file.truncate(-1))
          .withMessageContaining("0xffffffffffffffff");
    }
  }

  @Test
  void truncateOfAFileOpenForReadingIsRefused() throws IOException {
    try (HostFile file = HostFile.openReadOnly(file("kept"))) {
      refusal(Errno.EINVAL, () -> file.truncate(0));
      assertThat(file.size()).isEqualTo(4);
    }
  }

  @Test
  void aMemoryFileIsNamedForMessagesAndMaps() throws IOException {
    try (HostFile file = HostFile.memfd("xip-test")) {
      assertThat(file.name()).isEqualTo("memfd:xip-test");
      assertThat(Files.readSymbolicLink(file.descriptorPath()).toString())
          .startsWith("/memfd:xip-test");
    }
  }

  @Test
  void aSealedMemoryFileKeepsItsBytesAndItsSize() throws IOException {
    try (HostFile file = HostFile.memfd("sealed");
        Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocateFrom("sealed");
      file.write(0, text);
      Libxip.get();
      assertThat(GuardCalls.seal(file.fd())).isZero();
      refusal(Errno.EPERM, () -> file.write(0, text));
      refusal(Errno.EPERM, () -> file.truncate(0));
      refusal(Errno.EPERM, () -> file.truncate(8192));
      assertThat(GuardCalls.seal(file.fd())).isEqualTo(-Errno.EPERM.number());
      assertThat(file.text()).isEqualTo("sealed\0");
    }
  }

  @Test
  void aMemoryFileWithATooLongNameIsRefused() {
    assertThat(refusal(Errno.EINVAL, () -> HostFile.memfd("x".repeat(250))).call())
        .isEqualTo("memfd_create");
  }

  @Test
  void writtenBytesAreReadBack() throws IOException {
    try (HostFile file = HostFile.create(folder.resolve("new"), 0600);
        Arena arena = Arena.ofConfined()) {
      file.write(5, arena.allocateFrom("hello"));
      file.force();
      MemorySegment back = arena.allocate(64);
      assertThat(file.read(5, back)).isEqualTo(6);
      assertThat(back.getString(0)).isEqualTo("hello");
      assertThat(file.read(1000, back)).isZero();
    }
  }

  @Test
  void transferChecksItsArgumentsFirst() throws IOException {
    try (HostFile file = HostFile.memfd("x")) {
      MemorySegment array = MemorySegment.ofArray("x".getBytes(UTF_8));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> file.read(0, array))
          .withMessageContaining("native memory");
      MemorySegment byteOutside = Arena.ofAuto().allocate(1);
      assertThatIllegalArgumentException().isThrownBy(() -> file.read(-1, byteOutside));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> file.write(Long.MAX_VALUE, byteOutside));
    }
  }

  @Test
  void writingToAFileOpenForReadingIsRefused() throws IOException {
    try (HostFile file = HostFile.openReadOnly(file("kept"));
        Arena arena = Arena.ofConfined()) {
      refusal(Errno.EBADF, () -> file.write(0, arena.allocateFrom("lost")));
    }
  }

  @Test
  void sharedLocksLetEachOtherInAndKeepExclusiveOnesOut() throws IOException {
    Path path = file("locked");
    try (HostFile one = HostFile.openReadWrite(path);
        HostFile two = HostFile.openReadWrite(path)) {
      assertThat(one.tryLockShared(0, 10)).isTrue();
      assertThat(two.tryLockShared(0, 10)).isTrue();
      assertThat(two.tryLockExclusive(0, 10)).isFalse();
      assertThat(two.tryLockExclusive(10, 10)).isTrue();
      one.unlock(0, 10);
      assertThat(two.tryLockExclusive(0, 10)).isTrue();
      assertThat(one.tryLockShared(9, 1)).isFalse();
    }
  }

  @Test
  void closingGivesLocksBack() throws IOException {
    Path path = file("locked");
    try (HostFile two = HostFile.openReadWrite(path)) {
      try (HostFile one = HostFile.openReadWrite(path)) {
        assertThat(one.tryLockExclusive(0, 1)).isTrue();
        assertThat(two.tryLockShared(0, 1)).isFalse();
      }
      assertThat(two.tryLockShared(0, 1)).isTrue();
    }
  }

  @Test
  void anExclusiveLockNeedsAFileOpenForWriting() throws IOException {
    try (HostFile file = HostFile.openReadOnly(file("x"))) {
      refusal(Errno.EBADF, () -> file.tryLockExclusive(0, 1));
      assertThatIllegalArgumentException().isThrownBy(() -> file.tryLockShared(0, 0));
      assertThatIllegalArgumentException().isThrownBy(() -> file.tryLockShared(-1, 1));
    }
  }

  @Test
  void whoStandsInTheWayOfALockIsTold() throws IOException {
    Path path = file("locked");
    try (HostFile one = HostFile.openReadWrite(path);
        HostFile two = HostFile.openReadOnly(path)) {
      assertThat(two.conflictingLock(0, Long.MAX_VALUE)).isEmpty();
      one.tryLockShared(1L << 62, 3);
      one.tryLockExclusive(7, 1);
      assertThat(two.conflictingLock(100, Long.MAX_VALUE - 100))
          .contains(new HeldLock(1L << 62, 3, false));
      assertThat(two.conflictingLock(0, 100)).contains(new HeldLock(7, 1, true));
      assertThat(two.conflictingLock(8, 100)).isEmpty();
      assertThat(one.conflictingLock(0, 100)).isEmpty();
    }
  }

  @Test
  @Timeout(60)
  void aLockThatIsWaitedForComesWhenItsHolderLeaves() throws Exception {
    Path path = folder.resolve("locked");
    try (HostFile one = HostFile.create(path, 0600);
        HostFile two = HostFile.openReadWrite(path)) {
      one.lockExclusive(0, Long.MAX_VALUE);
      AtomicBoolean released = new AtomicBoolean();
      FutureTask<Boolean> waiter =
          new FutureTask<>(
              () -> {
                two.lockExclusive(0, Long.MAX_VALUE);
                return released.get();
              });
      Thread.ofPlatform().start(waiter);
      assertThat(two.tryLockShared(0, 1)).isFalse();
      released.set(true);
      one.unlock(0, Long.MAX_VALUE);
      assertThat(waiter.get()).isTrue();
    }
  }

  @Test
  void aClosedFileSaysSo() throws IOException {
    HostFile file = HostFile.memfd("gone");
    file.close();
    file.close();
    assertThatIllegalStateException().isThrownBy(file::fd).withMessage("memfd:gone is closed");
    assertThatIllegalStateException().isThrownBy(file::size);
  }
}
