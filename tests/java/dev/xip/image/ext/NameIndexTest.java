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
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
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

  /** Names that one hash, 31 times what is there plus the next byte, cannot tell apart. */
  private static byte[] ofOneHash(int number, int bits) {
    StringBuilder name = new StringBuilder();
    for (int i = 0; i < bits; i++) {
      name.append((number >> i & 1) == 0 ? "Aa" : "BB");
    }
    return name.toString().getBytes(StandardCharsets.US_ASCII);
  }

  @Test
  @Timeout(30)
  void namesMadeToHaveOneHashAreFoundAsSoonAsOthers() throws IOException {
    int bits = 18;
    int length = ExtLayout.D_NAME + 2 * bits;
    int inBlock = 4096 / length;
    int blocks = Math.ceilDiv(1 << bits, inBlock);
    ByteBuffer entries = ByteBuffer.allocate(blocks * 4096).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < 1 << bits; i++) {
      int at = i / inBlock * 4096 + i % inBlock * length;
      boolean last = i % inBlock == inBlock - 1 || i == (1 << bits) - 1;
      int room = last ? 4096 - i % inBlock * length : length;
      entries.putInt(at, 11 + i % 50).putShort(at + 4, (short) room);
      entries.put(at + 6, (byte) (2 * bits)).put(at + 8, ofOneHash(i, bits));
    }
    Path tree = Files.createDirectory(folder.resolve("one-hash"));
    Files.write(tree.resolve("names"), entries.array());
    Path file = Images.ext2(tree);
    Images.debugfsWrite(file, "set_inode_field names mode 040755");
    ExtImage opened = Images.open(file, arena);
    Inode names = PathResolver.resolve(opened, "names", true);
    for (int i = 0; i < 1 << bits; i += 1000) {
      assertThat(opened.find(names, FileName.of(ofOneHash(i, bits)))).isEqualTo(11 + i % 50);
    }
    assertThat(listed(opened, names)).hasSize(1 << bits);
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
  void findingANameDoesNotAllocate() throws IOException {
    Inode crowd = PathResolver.resolve(image, "crowd", true);
    FileName name = FileName.of("n4321");
    for (int i = 0; i < 50_000; i++) {
      // Until it is compiled: the interpreter allocates itself.
      find(crowd, name);
    }
    assertThat(Allocations.ofCompiled(() -> find(crowd, name))).isZero();
  }

  @Test
  void readingDoesNotAllocate() throws IOException {
    FileContent content = FileContent.of(image, PathResolver.resolve(image, "crowd/n4321", true));
    MemorySegment destination = arena.allocate(100);
    assertThat(
            Allocations.ofCompiled(
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
