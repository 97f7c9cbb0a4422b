package dev.xip.nio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.xip.testing.Images;
import dev.xip.testing.ProcMaps;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of an image whose file loses its name while it is opened. */
class OpenFileSystemsTest {
  @TempDir Path folder;

  @Test
  void anImageWhoseNameIsGoneDoesNotStayMapped() throws IOException {
    Path packed = Images.ext2(Trees.small(folder.resolve("tree")));
    ImageName image = new ImageName(packed, new TreeMap<>());
    OpenFileSystems open = new OpenFileSystems();
    XipFileSystem opened =
        open.add(
            image,
            () -> {
              XipFileSystem made = XipFileSystem.open(new XipFileSystemProvider(), image);
              Files.delete(packed);
              return made;
            });
    assertThat(opened.isOpen()).isTrue();
    opened.close();
    assertThat(ProcMaps.containing(packed.toString())).isEmpty();
    assertThatExceptionOfType(NoSuchFileException.class)
        .isThrownBy(() -> open.add(image, () -> opened));
  }
}
