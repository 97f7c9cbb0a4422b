package dev.xip.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.xip.base.Errno;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
  void existsTellsNothingFromOutOfReach() throws IOException {
    assertThat(HostFolder.exists(folder)).isTrue();
    assertThat(HostFolder.exists(folder.resolve("none"))).isFalse();
    refused(Errno.ENOTDIR, "statx", () -> HostFolder.exists(file("x").resolve("y")));
  }

  @Test
  void onlyAFolderIsForced() throws IOException {
    HostFolder.force(folder);
    Path file = file("x");
    refused(Errno.ENOTDIR, "open", () -> HostFolder.force(file));
  }

  @Test
  void theCurrentFolderHasAnEmptyPath() throws IOException {
    assertThat(HostFolder.stat(Path.of("")).ino()).isEqualTo(HostFolder.stat(Path.of(".")).ino());
  }
}
