package dev.xip.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Calls relative to a descriptor, verified through the JDK's file system. */
class OpenFolderTest {
  private static final FileName A = FileName.of("a");
  private static final FileName B = FileName.of("b");

  @TempDir private Path work;
  private Path elsewhere;
  private Path place;
  private OpenFolder folder;

  @BeforeEach
  void open() throws Exception {
    elsewhere = Files.createDirectory(work.resolve("elsewhere"));
    place = Files.createDirectory(work.resolve("place"));
    folder = OpenFolder.open(place);
  }

  @AfterEach
  void close() {
    folder.close();
  }

  private static void refused(Errno errno, ThrowingCallable call) {
    assertThatExceptionOfType(HostException.class)
        .isThrownBy(call)
        .satisfies(e -> assertThat(e.errno()).isEqualTo(errno));
  }

  @Test
  void aFileIsMadeInTheFolder() throws Exception {
    try (HostFile file = folder.create(A, 0600)) {
      assertThat(file.size()).isZero();
    }
    assertThat(Files.getPosixFilePermissions(place.resolve("a")))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
  }

  @Test
  void theFolderIsReachedWhereverItHasBeenMovedTo() throws Exception {
    Files.move(place, work.resolve("moved"));
    Files.createSymbolicLink(place, elsewhere);
    folder.create(A, 0600).close();
    assertThat(work.resolve("moved/a")).exists();
    assertThat(elsewhere).isEmptyDirectory();
  }

  @Test
  void aLinkInTheWayOfANewFileIsNotFollowed() throws Exception {
    Path victim = Files.writeString(elsewhere.resolve("victim"), "precious");
    Files.createSymbolicLink(place.resolve("a"), victim);
    refused(Errno.EEXIST, () -> folder.create(A, 0600));
    refused(Errno.ELOOP, () -> folder.openReadWrite(A));
    refused(Errno.ELOOP, () -> folder.openReadOnly(A));
    assertThat(victim).hasContent("precious");
  }

  @Test
  void aDanglingLinkMakesNoFileWhereItLeads() throws Exception {
    Files.createSymbolicLink(place.resolve("a"), elsewhere.resolve("new"));
    assertThat(elsewhere).isEmptyDirectory();
  }

  @Test
  void aLinkToAFolderIsNotEntered() throws Exception {
    Files.createSymbolicLink(place.resolve("a"), elsewhere);
    refused(Errno.ENOTDIR, () -> folder.folder(A));
  }

  @Test
  void aPipeIsNoFileAndIsNotWaitedFor() throws Exception {
    folder.node(A, 010600, 0);
    refused(Errno.ENODEV, () -> folder.openReadOnly(A));
    refused(Errno.ENODEV, () -> folder.openReadWrite(A));
  }

  @Test
  void aNewFolderIsPrivate() throws Exception {
    folder.make(A).close();
    assertThat(Files.getPosixFilePermissions(place.resolve("a")))
        .isEqualTo(PosixFilePermissions.fromString("rwx------"));
    refused(Errno.EEXIST, () -> folder.make(A));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ".", "..", "a/b", "/", "a\0b"})
  void aNameIsOneComponent(String name) {
    assertThatIllegalArgumentException().isThrownBy(() -> folder.stat(FileName.of(name)));
  }

  @Test
  void namesAreBytes() throws Exception {
    FileName name = FileName.of(new byte[] {'n', (byte) 0xff, (byte) 0x80, '\n'});
    folder.create(name, 0600).close();
    assertThat(folder.names()).containsExactly(name);
    Path path = HostPaths.of(FileName.of(place + "/")).resolve(HostPaths.of(name));
    assertThat(path).exists();
    assertThat(HostPaths.nameOf(path.getFileName())).isEqualTo(name);
    HostFile.openReadOnly(path).close();
  }

  @Test
  void aPathKeepsItsBytesAbsoluteOrNot() throws Exception {
    byte[] latin = "d\u00e9j\u00e0/vu".getBytes(StandardCharsets.ISO_8859_1);
    FileName relative = FileName.of(latin);
    FileName absolute =
        FileName.of(
            ("/" + new String(latin, StandardCharsets.ISO_8859_1))
                .getBytes(StandardCharsets.ISO_8859_1));
    assertThat(HostPaths.nameOf(HostPaths.of(relative))).isEqualTo(relative);
    assertThat(HostPaths.nameOf(HostPaths.of(absolute))).isEqualTo(absolute);
    assertThat(HostPaths.nameOf(Path.of(""))).isEqualTo(FileName.of("."));
    assertThat(HostPaths.nameOf(HostPaths.of(FileName.of("/")))).isEqualTo(FileName.of("/"));
  }

  @Test
  void allNamesAreListedHoweverManyCallsItTakes() throws Exception {
    List<FileName> made = new ArrayList<>();
    for (int i = 0; i < 6000; i++) {
      String name = "%05d-%s".formatted(i, "x".repeat(i % 50));
      Files.createFile(place.resolve(name));
      made.add(FileName.of(name));
    }
    assertThat(folder.names()).containsExactlyInAnyOrderElementsOf(made);
  }

  @Test
  void namesCanBeAskedForByTheirStart() throws Exception {
    folder.create(FileName.of("SEG.1.data"), 0600).close();
    folder.create(FileName.of("OTHER"), 0600).close();
    assertThat(folder.names(FileName.of("SEG."))).containsExactly(FileName.of("SEG.1.data"));
    assertThat(folder.names()).hasSize(2);
  }

  @Test
  void aLinkIsMadeReadAndTimedItself() throws Exception {
    Instant time = Instant.parse("1935-07-08T09:10:11.123456789Z");
    folder.symlink(A, FileName.of("../elsewhere"));
    folder.setTimes(A, new HostTimes(null, time));
    assertThat(folder.readLink(A)).isEqualTo(FileName.of("../elsewhere"));
    assertThat(folder.stat(A).mode() & 0170000).isEqualTo(0120000);
    assertThat(Files.getLastModifiedTime(place.resolve("a"), LinkOption.NOFOLLOW_LINKS).toInstant())
        .isEqualTo(time);
  }

  @Test
  void modeAndTimesAreSetByDescriptor() throws Exception {
    Instant accessed = Instant.parse("2200-01-02T03:04:05.000000006Z");
    Instant modified = Instant.ofEpochSecond(1, 2);
    try (HostFile file = folder.create(A, 0600)) {
      file.setMode(01754);
      file.setTimes(new HostTimes(accessed, modified));
      HostStat stat = file.stat();
      assertThat(stat.mode() & 07777).isEqualTo(01754);
      assertThat(Instant.ofEpochSecond(stat.atimeSeconds(), stat.atimeNanos())).isEqualTo(accessed);
      assertThat(Instant.ofEpochSecond(stat.mtimeSeconds(), stat.mtimeNanos())).isEqualTo(modified);
    }
  }

  @Test
  void extendedAttributesComeBackByFullName() throws Exception {
    FileName attribute = FileName.of("user.origin");
    byte[] value = {1, 0, (byte) 0xff};
    try (HostFile file = folder.create(A, 0600)) {
      file.setExtendedAttribute(attribute, value);
      file.setExtendedAttribute(FileName.of("user.empty"), new byte[0]);
      assertThat(file.extendedAttributes()).containsEntry(attribute, value).hasSize(2);
    }
    assertThat(folder.extendedAttributes(A)).containsEntry(FileName.of("user.empty"), new byte[0]);
  }

  @Test
  void aRenameReplacesWhatHasTheName() throws Exception {
    Files.writeString(place.resolve("a"), "new");
    Files.writeString(place.resolve("b"), "old");
    folder.rename(A, folder, B);
    assertThat(place.resolve("b")).hasContent("new");
    assertThat(place.resolve("a")).doesNotExist();
  }

  @Test
  void whatIsMissingIsRemovedToo() throws Exception {
    assertThat(folder.unlink(A)).isFalse();
    assertThat(folder.removeFolder(A)).isFalse();
    folder.make(A).close();
    refused(Errno.EISDIR, () -> folder.unlink(A));
    assertThat(folder.removeFolder(A)).isTrue();
    assertThat(folder.exists(A)).isFalse();
  }

  @Test
  void randomNamesDiffer() {
    assertThat(OpenFolder.randomName(".xip-")).isNotEqualTo(OpenFolder.randomName(".xip-"));
    assertThat(OpenFolder.randomName(".xip-").toString()).matches("\\.xip-[0-9a-f]{24}");
  }
}
