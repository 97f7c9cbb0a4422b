package dev.xip.image.erofs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.testing.Images;
import dev.xip.testing.Jvm;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Directories that are compressed are decoded onto the heap. */
class DecodedDirectoryTest {
  private static final int DIRECTORIES = 12;
  private static final long EACH = 16 << 20;

  @TempDir Path folder;

  @Test
  void aSmallImageOfLargeDirectoriesDoesNotFillTheHeap() throws IOException {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    for (int i = 0; i < DIRECTORIES; i++) {
      try (RandomAccessFile file = new RandomAccessFile(tree.resolve("d" + i).toFile(), "rw")) {
        file.setLength(EACH);
      }
    }
    Path file = Images.erofs(tree, folder.resolve("image"), "-zlz4", "-C65536");
    byte[] bytes = Files.readAllBytes(file);
    ErofsImage image = ErofsImage.open("image", MemorySegment.ofArray(bytes));
    ByteBuffer modes = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    List<String> arguments = new ArrayList<>(List.of(file.toString()));
    for (int i = 0; i < DIRECTORIES; i++) {
      Inode hole = PathResolver.resolve(image, "d" + i, true);
      modes.putShort((int) hole.offset() + ErofsLayout.I_MODE, (short) 040755);
      arguments.add(Long.toString(hole.number()));
    }
    Files.write(file, bytes);
    List<String> command = Jvm.command(DecodedDirectories.class, arguments.toArray(String[]::new));
    assertThat(Processes.run(command.toArray(String[]::new)).text())
        .contains("damaged: " + DIRECTORIES);
  }
}
