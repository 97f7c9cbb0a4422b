package dev.xip.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import dev.xip.base.FileName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Private temporary folders, verified through the JDK's file system. */
class PrivateFolderTest {
  private static final FileName A = FileName.of("a");

  @TempDir private Path work;
  private OpenFolder parent;

  @BeforeEach
  void open() throws Exception {
    parent = OpenFolder.open(work);
  }

  @AfterEach
  void close() {
    parent.close();
  }

  @Test
  void onlyItsOwnerMayEnterIt() throws Exception {
    PrivateFolder folder = PrivateFolder.in(parent, ".x-");
    try (folder) {
      Path made = work.resolve(parent.names().getFirst().toString());
      assertThat(made.getFileName().toString()).matches("\\.x-[0-9a-f]{24}");
      assertThat(Files.getPosixFilePermissions(made))
          .isEqualTo(PosixFilePermissions.fromString("rwx------"));
    }
    assertThat(work).isEmptyDirectory();
    folder.close();
  }

  @Test
  void itIsReachedByItsPathWhereverItHasBeenMovedTo() throws Exception {
    try (PrivateFolder folder = PrivateFolder.in(parent, ".x-")) {
      Path made = work.resolve(parent.names().getFirst().toString());
      Files.move(made, work.resolve("moved"));
      Files.writeString(folder.path(A), "through the descriptor");
      assertThat(work.resolve("moved/a")).hasContent("through the descriptor");
      Files.move(work.resolve("moved"), made);
    }
    assertThat(work).isEmptyDirectory();
  }

  @Test
  void whatHasTakenItsPlaceIsNotRemoved() throws Exception {
    try (PrivateFolder folder = PrivateFolder.in(parent, ".x-")) {
      Path made = work.resolve(parent.names().getFirst().toString());
      Files.move(made, work.resolve("moved"));
      Files.createDirectory(made);
      folder.folder().create(A, 0600).close();
    }
    assertThat(parent.names()).hasSize(2);
    assertThat(work.resolve("moved")).isEmptyDirectory();
  }

  @Test
  void itGoesWithAllThatIsInItHoweverDeep() throws Exception {
    try (PrivateFolder folder = PrivateFolder.in(parent, ".x-")) {
      OpenFolder now = folder.folder().make(A);
      for (int i = 0; i < 5000; i++) {
        now.create(FileName.of("file"), 0).close();
        now.symlink(FileName.of("link"), FileName.of("/"));
        OpenFolder below = now.make(A);
        now.setMode(0);
        now.close();
        now = below;
      }
      now.close();
    }
    assertThat(work).isEmptyDirectory();
  }

  @Test
  void itGoesWhileAThreadStillCreatesFilesInIt() throws Exception {
    for (int i = 0; i < 20; i++) {
      AtomicBoolean over = new AtomicBoolean();
      CountDownLatch started = new CountDownLatch(300);
      PrivateFolder folder = PrivateFolder.in(parent, ".x-");
      Thread creator =
          Thread.ofPlatform().start(() -> create(folder.path(FileName.of("file")), started, over));
      started.await();
      folder.close();
      over.set(true);
      creator.join();
      assertThat(work).isEmptyDirectory();
    }
  }

  private static void create(Path start, CountDownLatch started, AtomicBoolean over) {
    try {
      for (int i = 0; i < 3000 && !over.get(); i++) {
        Files.createFile(start.resolveSibling("file" + i));
        started.countDown();
      }
    } catch (IOException e) {
      // The folder is gone.
      return;
    }
  }

  @Test
  void aFolderKnowsTheOneAbove() throws Exception {
    try (OpenFolder below = parent.make(A);
        OpenFolder above = below.parent()) {
      assertThat(above.stat().ino()).isEqualTo(parent.stat().ino());
    }
  }

  @Test
  void whatIsHeldStaysTheSameWhateverTakesItsName() throws Exception {
    parent.symlink(A, FileName.of("first"));
    try (HostNode held = parent.hold(A)) {
      parent.unlink(A);
      parent.symlink(A, FileName.of("second"));
      assertThat(held.target()).isEqualTo(FileName.of("first"));
      assertThat(parent.readLink(A)).isEqualTo(FileName.of("second"));
    }
  }

  @Test
  void theModeOfWhatHasANameIsSetAndALinkRefused() throws Exception {
    parent.node(A, 010600, 0);
    parent.setMode(A, 0642);
    assertThat(parent.stat(A).mode() & 07777).isEqualTo(0642);
    FileName link = FileName.of("link");
    parent.symlink(link, A);
    assertThatIOException().isThrownBy(() -> parent.setMode(link, 0777));
    assertThat(parent.stat(A).mode() & 07777).isEqualTo(0642);
  }
}
