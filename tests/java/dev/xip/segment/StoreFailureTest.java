package dev.xip.segment;

import static dev.xip.segment.SegmentNameTest.refused;
import static dev.xip.segment.SegmentStoreTest.definition;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Errno;
import dev.xip.testing.Judge;
import dev.xip.testing.Jvm;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a host does not allow: each operation that fails has the system's code and leaves the store
 * byte for byte as it was.
 */
class StoreFailureTest {
  private static final SegmentName A = new SegmentName("A");
  private static final SegmentName B = new SegmentName("B");
  private static final int MEBIBYTE = 1 << 20;

  @TempDir Path temp;
  private Path mount;
  private boolean mounted;

  @BeforeEach
  void open() throws IOException {
    // Users other than root must be able to reach the store.
    Files.setPosixFilePermissions(temp, PosixFilePermissions.fromString("rwxr-xr-x"));
    mount = Files.createDirectory(temp.resolve("mount"));
  }

  @AfterEach
  void unmount() throws IOException {
    if (mounted) {
      Processes.run("umount", mount.toString());
    }
  }

  /** A file system of four mebibytes, with a store in which A is one mebibyte of noise. */
  private SegmentStore storeOnSmallFileSystem() throws IOException {
    Judge.root();
    Processes.Output made =
        Processes.runAny("mount", "-t", "tmpfs", "-o", "size=4m", "xip-test", mount.toString());
    Judge.needs(made.exit() == 0, "root that may mount: " + made.err().strip());
    mounted = true;
    SegmentStore store = SegmentStore.create(mount.resolve("store"));
    store.define(definition(A, SegmentType.SW, 0x100000, 256), noise(MEBIBYTE));
    return store;
  }

  private SegmentSource noise(int bytes) throws IOException {
    byte[] content = new byte[bytes];
    new Random(bytes).nextBytes(content);
    return SegmentSource.copyOf(Files.write(temp.resolve("noise"), content), done -> {});
  }

  /** Every file of a folder with its bytes and its inode. */
  private static Map<String, String> snapshot(Path folder) throws IOException {
    Map<String, String> files = new TreeMap<>();
    try (Stream<Path> list = Files.list(folder)) {
      for (Path each : list.toList()) {
        files.put(
            each.getFileName().toString(),
            "%s %08x"
                .formatted(
                    Files.getAttribute(each, "unix:ino"),
                    Arrays.hashCode(Files.readAllBytes(each))));
      }
    }
    return files;
  }

  private static void leavesAsItWas(
      SegmentStore store, Errno code, String words, ThrowingCallable operation) throws IOException {
    Map<String, String> before = snapshot(store.folder());
    refused(operation, code, words);
    assertThat(snapshot(store.folder())).isEqualTo(before);
    assertThat(store.check()).isEmpty();
  }

  @Test
  void aFullFileSystemIsNoSpace() throws IOException {
    SegmentStore store = storeOnSmallFileSystem();
    leavesAsItWas(
        store,
        Errno.ENOSPC,
        "defining segment B: pwrite(",
        () -> store.define(definition(B, SegmentType.SR, 0x200000, 1024), noise(4 * MEBIBYTE)));
    leavesAsItWas(
        store,
        Errno.ENOSPC,
        "saving segment A: pwrite(",
        () -> {
          Files.write(mount.resolve("filler"), new byte[5 * MEBIBYTE / 2]);
          store.save(A, noise(MEBIBYTE));
        });
  }

  @Test
  void aFullFileSystemLetsASegmentBeRemoved() throws IOException {
    SegmentStore store = storeOnSmallFileSystem();
    try {
      Files.write(mount.resolve("filler"), new byte[4 * MEBIBYTE]);
    } catch (IOException full) {
      assertThat(full).hasMessageContaining("No space left");
    }
    store.remove(A);
    assertThat(store.list().segments()).isEmpty();
    assertThat(store.check()).isEmpty();
  }

  @Test
  void aReadOnlyFileSystemIsReadAndNotChanged() throws IOException {
    SegmentStore store = storeOnSmallFileSystem();
    Processes.run("mount", "-o", "remount,ro", mount.toString());
    leavesAsItWas(
        store,
        Errno.EROFS,
        "defining segment B: openat(",
        () -> store.define(definition(B, SegmentType.SR, 0x200000, 1), SegmentSource.zeros()));
    leavesAsItWas(
        store,
        Errno.EROFS,
        "saving segment A: openat(",
        () -> store.save(A, SegmentSource.zeros()));
    leavesAsItWas(store, Errno.EROFS, "removing segment A: openat(", () -> store.remove(A));
    leavesAsItWas(store, Errno.EROFS, "cleaning segment store", store::clean);
    assertThat(store.survey().segments()).hasSize(1);
    refused(
        () -> SegmentStore.create(mount.resolve("other")), Errno.EROFS, "segment store " + mount);
  }

  @Test
  void aUserThatMayNotWriteMayStillReadAndLoad() throws IOException {
    SegmentStore store = SegmentStore.create(temp.resolve("store"));
    store.define(definition(A, SegmentType.SR, 0x100000, 1), SegmentSource.zeros());
    Map<String, String> before = snapshot(store.folder());
    assertThat(asNobody(store))
        .containsExactly(
            "define EACCES",
            "save EACCES",
            "remove EACCES",
            "clean EACCES",
            "create EACCES",
            "list ok",
            "survey ok",
            "check ok",
            "load ok",
            "unload ok");
    assertThat(snapshot(store.folder())).isEqualTo(before);
  }

  @Test
  void aUserWithoutReadPermissionGetsAnError() throws IOException {
    SegmentStore store = SegmentStore.create(temp.resolve("store"));
    store.define(definition(A, SegmentType.SR, 0x100000, 1), SegmentSource.zeros());
    Files.setPosixFilePermissions(store.folder(), PosixFilePermissions.fromString("rwx------"));
    assertThat(asNobody(store))
        .contains("save EACCES", "list EACCES", "survey EACCES", "check EACCES", "load EACCES");
  }

  /** Runs {@link StoreAttempts} as a user who owns nothing here. */
  private Stream<String> asNobody(SegmentStore store) throws IOException {
    List<String> line = new ArrayList<>(Judge.asNobody());
    Path classes = temp.resolve("classes");
    // Root's folders may be closed to others, so they get a copy of what they run.
    Processes.run("cp", "-r", Jvm.placeOf(StoreAttempts.class).toString(), classes.toString());
    Processes.run("cp", "-r", Jvm.placeOf(SegmentStore.class) + "/.", classes.toString());
    Path library = Files.createDirectory(temp.resolve("native")).resolve("libxip.so");
    Files.copy(Path.of(System.getProperty("xip.library")), library);
    Processes.run("chmod", "-R", "a+rX", classes.toString(), library.getParent().toString());
    line.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            classes.toString(),
            StoreAttempts.class.getName(),
            store.folder().toString()));
    return Processes.run(line.toArray(String[]::new)).text().lines();
  }

  @Test
  void aFolderThatCannotBeMadeHasItsCode() throws IOException {
    Path file = Files.write(temp.resolve("file"), new byte[1]);
    refused(() -> SegmentStore.create(file.resolve("a/b")), Errno.ENOTDIR, "segment store " + file);
    refused(
        () -> SegmentStore.create(temp.resolve("x".repeat(300))),
        Errno.ENAMETOOLONG,
        "segment store");
    refused(() -> SegmentStore.create(Path.of("/proc/xip/store")), Errno.ENOENT, "/proc/xip");
  }

  @Test
  void aMovedFileStaysAsItWasWhenTheStoreCannotTakeIt() throws IOException {
    SegmentStore store = SegmentStore.create(temp.resolve("store"));
    store.define(definition(A, SegmentType.SR, 0x100000, 1), SegmentSource.zeros());
    Path source = Files.write(temp.resolve("source"), new byte[100]);
    // An abandoned change fails in a step after the move.
    SegmentStore given = store.waiting(new WaitLimit(Duration.ZERO, line -> {}, () -> true));
    refused(
        () ->
            given.define(definition(B, SegmentType.SR, 0x200000, 1), SegmentSource.moving(source)),
        Errno.ETIMEDOUT,
        "segment B");
    assertThat(Files.size(source)).isEqualTo(100);
    assertThat(store.folder().resolve("B.1.data")).doesNotExist();
  }

  @Test
  void aFailedStepAfterTheMoveGivesTheFileItsLengthBack() throws IOException {
    SegmentStore store = SegmentStore.create(temp.resolve("store"));
    Path source = Files.write(temp.resolve("source"), new byte[100]);
    SegmentSource moving = SegmentSource.moving(source);
    Path data = store.folder().resolve("B.1.data");
    try (StoreFolder folder = StoreFolder.open(store.folder())) {
      moving.make(folder, StoreFile.data(B, 1), 4096, null);
    }
    assertThat(Files.size(source)).isEqualTo(4096);
    Files.delete(data);
    moving.cancelled();
    assertThat(Files.size(source)).isEqualTo(100);
  }
}
