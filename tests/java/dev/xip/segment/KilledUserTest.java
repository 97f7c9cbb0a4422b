package dev.xip.segment;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Jvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Processes that are killed by SIGKILL while they have a segment loaded. */
class KilledUserTest {
  private static final SegmentName A = StoreChange.A;

  @TempDir Path temp;
  private SegmentStore store;
  private final List<Process> processes = new ArrayList<>();

  @BeforeEach
  void define() throws IOException {
    store = SegmentStore.create(temp.resolve("store"));
    store.define(StoreChange.definition(A), SegmentSource.zeros());
  }

  @AfterEach
  void endAll() throws InterruptedException {
    for (Process each : processes) {
      each.destroyForcibly().waitFor();
    }
  }

  private SegmentUser load(SharingMode mode) throws IOException {
    Process process =
        new ProcessBuilder(
                Jvm.command(HoldSegment.class, store.folder().toString(), "A", mode.name()))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    processes.add(process);
    assertThat(process.getInputStream().read()).isEqualTo('h');
    return new SegmentUser(process.pid(), mode);
  }

  private void kill(SegmentUser user) throws InterruptedException {
    for (Process each : processes) {
      if (each.pid() == user.pid()) {
        each.destroyForcibly().waitFor();
      }
    }
  }

  private List<SegmentUser> usersOf(long version) throws SegmentException {
    return store.survey().segments().stream()
        .filter(each -> each.stored().version() == version)
        .flatMap(each -> each.users().stream())
        .toList();
  }

  private List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(store.folder())) {
      return files.map(each -> each.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void aKilledUserIsNoUserInEitherMode() throws Exception {
    SegmentUser shared = load(SharingMode.SHARED);
    SegmentUser exclusive = load(SharingMode.EXCLUSIVE);
    assertThat(usersOf(1)).containsExactlyInAnyOrder(shared, exclusive);
    kill(shared);
    assertThat(usersOf(1)).containsExactly(exclusive);
    kill(exclusive);
    assertThat(usersOf(1)).isEmpty();
  }

  @Test
  void theNextSaveCleansUpAfterTheLastKilledUser() throws Exception {
    SegmentUser shared = load(SharingMode.SHARED);
    SegmentUser exclusive = load(SharingMode.EXCLUSIVE);
    store.save(A, SegmentSource.zeros());
    kill(exclusive);
    store.save(A, SegmentSource.zeros());
    assertThat(usersOf(1)).containsExactly(shared);
    assertThat(files())
        .containsExactly("A.1.data", "A.1.purge", "A.3.data", "A.def", StoreFile.LOCK);
    kill(shared);
    store.save(A, SegmentSource.zeros());
    assertThat(files()).containsExactly("A.4.data", "A.def", StoreFile.LOCK);
  }

  @Test
  void theNextDefinitionCleansUpAfterTheKilledUserOfARemovedSegment() throws Exception {
    for (SharingMode each : SharingMode.values()) {
      SegmentUser user = load(each);
      store.remove(A);
      assertThat(files()).containsExactly("A.1.data", "A.1.purge", StoreFile.LOCK);
      kill(user);
      assertThat(store.define(StoreChange.definition(A), SegmentSource.zeros()).version()).isOne();
      assertThat(files()).containsExactly("A.1.data", "A.def", StoreFile.LOCK);
    }
  }
}
