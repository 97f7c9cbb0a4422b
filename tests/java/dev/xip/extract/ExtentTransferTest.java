package dev.xip.extract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.xip.image.CorruptImageException;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.mount.OpenImage;
import dev.xip.testing.Fragments;
import dev.xip.testing.Images;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Each way of transfer sends the bytes of a file unchanged. */
class ExtentTransferTest {
  private static final int PAGE = 4096;

  @TempDir Path folder;
  private Path tree;
  private Path image;

  @BeforeEach
  void packATree() throws IOException {
    tree = Files.createDirectory(folder.resolve("tree"));
    Random random = new Random(11);
    Trees.write(tree.resolve("whole"), 0, 300 * PAGE - 5, random);
    Trees.write(tree.resolve("holes"), 7 * PAGE + 1, 40 * PAGE, random);
    Trees.write(tree.resolve("holes"), 90 * PAGE - 3, 30 * PAGE, random);
    Files.createFile(tree.resolve("empty"));
    image = Images.ext2(tree);
    Fragments.scatter(image, "whole", 2, 12);
  }

  private static ExtentTransfer transfer(OpenImage mount, boolean toDevice) {
    return toDevice ? ExtentTransfer.toDevice(mount) : ExtentTransfer.from(mount);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void everyByteArrivesInOrderAndHolesAsZeros(boolean toDevice) throws IOException {
    for (String name : new String[] {"whole", "holes", "empty"}) {
      Path out = folder.resolve(name + toDevice);
      try (OpenImage mount = OpenImage.open(image);
          FileChannel target =
              FileChannel.open(out, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        Inode file = PathResolver.resolve(mount.image(), "/" + name, true);
        transfer(mount, toDevice).stream(file, target);
      }
      assertThat(out).as(name).hasSameBinaryContentAs(tree.resolve(name));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aCutImageIsToldWithThePlaceOfTheFirstByteThatIsMissing(boolean toDevice) throws IOException {
    try (OpenImage mount = OpenImage.open(image);
        FileChannel image = FileChannel.open(this.image, StandardOpenOption.WRITE);
        FileChannel target = FileChannel.open(Path.of("/dev/null"), StandardOpenOption.WRITE)) {
      Inode file = PathResolver.resolve(mount.image(), "/whole", true);
      long cut = mount.image().blockMap(file).imageOffset(0) + 100;
      image.truncate(cut);
      assertThatExceptionOfType(CorruptImageException.class)
          .isThrownBy(() -> transfer(mount, toDevice).stream(file, target))
          .withMessageContaining("at byte 0x")
          .withMessageContaining("truncated");
    }
  }
}
