package dev.xip.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostFolderTest {
  @TempDir Path folder;

  private static void refused(Errno errno, String call, ThrowingCallable body) {
    assertThatExceptionOfType(HostException.class)
        .isThrownBy(body)
        .satisfies(e -> assertThat(e.errno()).isEqualTo(errno))
        .satisfies(e -> assertThat(e.call()).isEqualTo(call));
  }

  private Path file(String name) throws IOException {
    return Files.writeString(folder.resolve(name), name);
  }

  @Test
  void aLinkIsASecondNameOfTheFile() throws IOException {
    Path one = file("one");
    Path two = folder.resolve("two");
    HostFolder.link(one, two);
    assertThat(HostFolder.stat(two).ino()).isEqualTo(HostFolder.stat(one).ino());
    assertThat(HostFolder.stat(two).nlink()).isEqualTo(2);
    refused(Errno.EEXIST, "link", () -> HostFolder.link(one, two));
    refused(Errno.ENOENT, "link", () -> HostFolder.link(folder.resolve("none"), one));
  }

  @Test
  void aRenameTakesTheNameFromWhatHadIt() throws IOException {
    Path one = file("one");
    Path two = file("two");
    HostFolder.rename(one, two);
    assertThat(one).doesNotExist();
    assertThat(two).hasContent("one");
    refused(Errno.ENOENT, "rename", () -> HostFolder.rename(one, two));
  }

  @Test
  void anUnlinkTellsWhetherThereWasSomething() throws IOException {
    Path one = file("one");
    assertThat(HostFolder.unlink(one)).isTrue();
    assertThat(HostFolder.unlink(one)).isFalse();
    refused(Errno.EISDIR, "unlink", () -> HostFolder.unlink(folder));
    refused(Errno.ENOTDIR, "unlink", () -> HostFolder.unlink(file("x").resolve("y")));
  }

  @Test
  void aFolderIsMadeOnce() throws IOException {
    Path made = folder.resolve("made");
    HostFolder.make(made, 0700);
    assertThat(HostFolder.stat(made).isDirectory()).isTrue();
    assertThat(HostFolder.stat(made).mode() & 0777).isEqualTo(0700);
    refused(Errno.EEXIST, "mkdir", () -> HostFolder.make(made, 0700));
    refused(Errno.ENOENT, "mkdir", () -> HostFolder.make(folder.resolve("a/b"), 0700));
  }

  @Test
  void existsTellsNothingFromOutOfReach() throws IOException {
    assertThat(HostFolder.exists(folder)).isTrue();
    assertThat(HostFolder.exists(folder.resolve("none"))).isFalse();
    refused(Errno.ENOTDIR, "statx", () -> HostFolder.exists(file("x").resolve("y")));
  }

  @Test
  void onlyAFolderIsForcedAndListed() throws IOException {
    HostFolder.force(folder);
    Path file = file("x");
    refused(Errno.ENOTDIR, "open", () -> HostFolder.force(file));
    refused(Errno.ENOTDIR, "open", () -> HostFolder.names(file, ""));
    refused(Errno.ENOENT, "open", () -> HostFolder.names(folder.resolve("none"), ""));
  }

  @Test
  void allNamesAreListedHoweverManyCallsItTakes() throws IOException {
    List<String> made = new ArrayList<>();
    for (int i = 0; i < 6000; i++) {
      String name = "%05d-%s".formatted(i, "x".repeat(i % 50));
      Files.createFile(folder.resolve(name));
      made.add(name);
    }
    assertThat(HostFolder.names(folder, "")).containsExactlyInAnyOrderElementsOf(made);
  }

  @Test
  void theCurrentFolderHasAnEmptyPath() throws IOException {
    assertThat(HostFolder.stat(Path.of("")).ino()).isEqualTo(HostFolder.stat(Path.of(".")).ino());
  }
}
