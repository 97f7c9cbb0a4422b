package dev.xip.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StartFiguresTest {
  private static final String ENTRY = "/dev/xip/measure/FirstByte.class";

  @TempDir private Path dir;

  @Test
  void theLibraryIsCopiedFromTheJarWhereNoFileHasIt() throws IOException {
    Path copy = dir.resolve("copy");
    StartFigures.copyLibrary("file:/folder/xip.jar!" + ENTRY, copy);
    try (InputStream entry = StartFigures.class.getResourceAsStream(ENTRY)) {
      assertThat(copy).hasBinaryContent(entry.readAllBytes());
    }
  }

  @Test
  void theLibraryIsCopiedFromItsFile() throws IOException {
    Path file = Files.write(dir.resolve("jar!"), new byte[] {1, 2, 3});
    Path copy = dir.resolve("copy");
    StartFigures.copyLibrary(file.toString(), copy);
    assertThat(copy).hasBinaryContent(new byte[] {1, 2, 3});
  }

  @Test
  void anAbsentEntryIsNamed() {
    String place = "file:/folder/xip.jar!/absent.so";
    assertThatExceptionOfType(NoSuchFileException.class)
        .isThrownBy(() -> StartFigures.copyLibrary(place, dir.resolve("copy")))
        .withMessage(place);
  }
}
