package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.xip.base.FileName;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FileContent;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.testing.Allocations;
import dev.xip.testing.Images;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A name is found in a directory of thousands whichever way it is looked for. */
class NameIndexTest {
  private static final int FILES = 5000;

  @TempDir static Path folder;
  private static Arena arena;
  private static ExtImage image;

  @BeforeAll
  static void packATree() throws IOException {
    arena = Arena.ofShared();
    Path crowd = Files.createDirectories(folder.resolve("tree/crowd"));
    for (int i = 0; i < FILES; i++) {
      Files.writeString(crowd.resolve("n" + i), "file " + i);
    }
    image = Images.open(Images.ext2(folder.resolve("tree")), arena);
  }

  @AfterAll
  static void unmap() {
    arena.close();
  }

  private static Map<FileName, Long> listed(ExtImage image, Inode directory) throws IOException {
    Map<FileName, Long> names = new LinkedHashMap<>();
    image.list(
        directory,
        (name, inode, type) -> {
          names.put(name, inode);
          return true;
        });
    return names;
  }

  @Test
  void everyNameThatIsListedIsFound() throws IOException {
    Inode crowd = PathResolver.resolve(image, "crowd", true);
    Map<FileName, Long> names = listed(image, crowd);
    assertThat(names).hasSize(FILES + 2);
    for (Map.Entry<FileName, Long> each : names.entrySet()) {
      assertThat(image.find(crowd, each.getKey())).isEqualTo(each.getValue());
    }
  }

  @Test
  void aNameThatIsNotListedIsNotFound() throws IOException {
    Inode crowd = PathResolver.resolve(image, "crowd", true);
    for (int i = 0; i < 1000; i++) {
      assertThat(image.find(crowd, FileName.of("n" + (FILES + i)))).isEqualTo(-1);
    }
    assertThat(image.find(crowd, FileName.of(""))).isEqualTo(-1);
  }

  @Test
  void beyondDamageNothingIsFoundTheFirstTimeOrLater() throws IOException {
    MemorySegment copy = arena.allocate(image.memory().byteSize());
    copy.copyFrom(image.memory());
    ExtImage damaged = ExtImage.open("damaged.img", copy);
    Inode crowd = PathResolver.resolve(damaged, "crowd", true);
    long block = damaged.blockMap(crowd).imageOffset(2 * 4096);
    List<FileName> names = new ArrayList<>(listed(damaged, crowd).keySet());
    copy.set(ValueLayout.JAVA_SHORT_UNALIGNED, block + ExtLayout.D_REC_LEN, (short) 3);
    for (int round = 0; round < 3; round++) {
      assertThat(damaged.find(crowd, names.get(2))).isPositive();
      for (FileName gone : List.of(names.getLast(), FileName.of("nothing"))) {
        assertThatExceptionOfType(CorruptImageException.class)
            .isThrownBy(() -> damaged.find(crowd, gone))
            .satisfies(e -> assertThat(e.offset()).isEqualTo(block + ExtLayout.D_REC_LEN));
      }
    }
  }

  @Test
  void findingANameMakesNoGarbage() throws IOException {
    Inode crowd = PathResolver.resolve(image, "crowd", true);
    FileName name = FileName.of("n4321");
    for (int i = 0; i < 50_000; i++) {
      // Until it is compiled: the interpreter makes garbage of its own.
      find(crowd, name);
    }
    assertThat(Allocations.of(() -> find(crowd, name))).isZero();
  }

  @Test
  void readingMakesNoGarbage() throws IOException {
    FileContent content = FileContent.of(image, PathResolver.resolve(image, "crowd/n4321", true));
    MemorySegment destination = arena.allocate(100);
    assertThat(
            Allocations.of(
                () -> {
                  try {
                    content.read(1, destination);
                  } catch (IOException e) {
                    throw new UncheckedIOException(e);
                  }
                }))
        .isZero();
  }

  private static void find(Inode directory, FileName name) {
    try {
      image.find(directory, name);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
